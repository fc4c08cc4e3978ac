/// `wander(1)`: the tree of commands, and the topics of help.
extension Page {
    static func commands(_ root: CommandDescription) -> Page {
        var page = Page(
            name: "wander", chapter: 1, chapterTitle: "User Commands", summary: root.abstract,
            synopsis: "\\fBwander\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...]",
            blocks: [.heading("Description")] + blocks(root.discussion))
        let common = root.find(["up"]).arguments.filter { $0.isShown && $0.isGlobal }
        page.blocks += [
            .heading("Options of every command"), .paragraph("They may also come before the command."),
            entries(common), .heading("Commands"),
        ]
        page.blocks += root.subcommands.flatMap(command)
        for topic in HelpTopics.topics where topic.name != "options" {
            let lines = topic.text().split(separator: "\n").dropFirst()
            page.blocks += [.heading(topic.name), .verbatim(lines.joined(separator: "\n"), language: nil)]
        }
        page.blocks += [.heading("See also"), .paragraph("Wanderfile(5)")]
        return page
    }

    private static func command(_ command: CommandDescription) -> [Block] {
        guard command.isShown else { return [] }
        return [.subheading(command.path), .paragraph(command.abstract)] + blocks(command.discussion)
            + [entries(command.arguments.filter { $0.isShown && !$0.isGlobal })]
            + command.subcommands.flatMap(self.command)
    }

    private static func entries(_ arguments: [CommandDescription.Argument]) -> Block {
        .entries(arguments.map { Entry(name: $0.spelling, meaning: $0.abstract) }, columns: [])
    }
}
