import ArgumentParser
import JSON

struct Manual: WanderCommand {
    /// The files that are made.
    enum File: String, CaseIterable, ExpressibleByArgument {
        case commands = "wander.1"
        case wanderfile = "Wanderfile.5"
        case markdown = "wanderfile.md"
    }

    static let configuration = CommandConfiguration(
        abstract: "Print a manual page, made from the same definitions as --help and the Wanderfile's schema.",
        discussion: "'wanderfile.md' is Wanderfile.5 in Markdown.", shouldDisplay: false)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "The page.") var file = File.commands

    func execute(_ context: CommandContext) throws {
        let page =
            switch file {
            case .commands: Page.commands(try CommandDescription.wander()).troff
            case .wanderfile: Page.wanderfile.troff
            case .markdown: Page.wanderfileMarkdown
            }
        context.output(page, json: ["text": .string(page)])
    }
}
