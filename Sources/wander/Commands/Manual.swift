import ArgumentParser
import JSON

struct Manual: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the manual page (troff), made from the same definitions as --help.", shouldDisplay: false)
    @OptionGroup var options: GlobalOptions

    func execute(_ context: CommandContext) throws {
        let page = ManualPage(try CommandDescription.wander()).text
        context.output(page, json: ["text": .string(page)])
    }
}

/// Renders the command tree as a manual page.
struct ManualPage {
    private let root: CommandDescription

    init(_ root: CommandDescription) { self.root = root }

    var text: String {
        var lines = [
            ".TH WANDER 1 \"\" \"wander \(Version.current)\" \"User Commands\"", ".SH NAME",
            "wander \\- \(Self.escape(root.abstract))", ".SH SYNOPSIS", ".B wander",
            "\\fICOMMAND\\fR [\\fIOPTION\\fR...]", ".SH DESCRIPTION",
        ]
        lines += Self.paragraphs(root.discussion)
        lines += [".SH OPTIONS OF EVERY COMMAND", "They may also come before the command."]
        lines += root.find(["up"]).arguments.filter { $0.isShown && $0.isGlobal }.flatMap(Self.argument)
        lines.append(".SH COMMANDS")
        for command in root.subcommands { lines += Self.command(command) }
        for topic in HelpTopics.topics where topic.name != "options" {
            lines.append(".SH \(topic.name.uppercased())")
            lines += [".nf"] + topic.text().split(separator: "\n").dropFirst().map { Self.escape(String($0)) } + [".fi"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func command(_ command: CommandDescription) -> [String] {
        guard command.isShown else { return [] }
        var lines = [".SS \(command.path)", escape(command.abstract)]
        lines += paragraphs(command.discussion)
        lines += command.arguments.filter { $0.isShown && !$0.isGlobal }.flatMap(argument)
        for subcommand in command.subcommands { lines += self.command(subcommand) }
        return lines
    }

    private static func argument(_ argument: CommandDescription.Argument) -> [String] {
        [".TP", "\\fB\(escape(argument.spelling))\\fR", escape(argument.abstract)]
    }

    /// Sentences are filled; what begins with blanks or has columns, or is a command to type, stays as it is.
    static func paragraphs(_ text: String) -> [String] {
        var lines: [String] = []
        var isVerbatim = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let isExample = line.hasPrefix(" ") || line.contains("  ") || line.hasPrefix("wander ")
            if line.isEmpty || lines.isEmpty || isExample != isVerbatim {
                if isVerbatim { lines.append(".fi") }
                isVerbatim = isExample
                if lines.last != ".PP" { lines.append(".PP") }
                if isVerbatim { lines.append(".nf") }
            }
            if !line.isEmpty { lines.append(escape(line)) }
        }
        return lines + (isVerbatim ? [".fi"] : [])
    }

    /// A dot or quote at the start of a line is a request to troff; a backslash always is.
    private static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text { escaped += character == "\\" ? "\\e" : character == "-" ? "\\-" : String(character) }
        return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
    }
}
