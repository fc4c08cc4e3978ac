import ArgumentParser
import Glibc
import JSON

struct Manual: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the manual page (troff), made from the same definitions as --help.", shouldDisplay: false)
    @OptionGroup var options: GlobalOptions

    func execute(_ context: CommandContext) throws {
        let definitions = try JSONParser.parse(Wander._dumpHelp())
        write(ManualPage(definitions).text, to: STDOUT_FILENO)
    }
}

/// Renders ArgumentParser's description of a command tree as a manual page.
struct ManualPage {
    private let root: JSONValue

    init(_ definitions: JSONValue) { root = definitions["command"] ?? .null }

    var text: String {
        var lines = [
            ".TH WANDER 1 \"\" \"wander \(Version.current)\" \"User Commands\"", ".SH NAME",
            "wander \\- \(Self.escape(root["abstract"]?.stringValue ?? ""))", ".SH SYNOPSIS", ".B wander",
            "\\fICOMMAND\\fR [\\fIOPTION\\fR...]", ".SH DESCRIPTION",
        ]
        lines += Self.paragraphs(root["discussion"]?.stringValue ?? "")
        lines.append(".SH COMMANDS")
        for command in root["subcommands"]?.arrayValue ?? [] { lines += Self.command(command, prefix: "wander") }
        for topic in HelpTopics.topics {
            lines.append(".SH \(topic.name.uppercased())")
            lines += [".nf"] + topic.text.split(separator: "\n").dropFirst().map { Self.escape(String($0)) } + [".fi"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func command(_ command: JSONValue, prefix: String) -> [String] {
        guard let name = command["commandName"]?.stringValue, name != "help",
            command["shouldDisplay"]?.boolValue != false
        else { return [] }
        let full = "\(prefix) \(name)"
        var lines = [".SS \(full)", escape(command["abstract"]?.stringValue ?? "")]
        lines += paragraphs(command["discussion"]?.stringValue ?? "")
        for argument in command["arguments"]?.arrayValue ?? [] where argument["shouldDisplay"]?.boolValue != false {
            lines += [".TP", "\\fB\(escape(spelling(argument)))\\fR", escape(argument["abstract"]?.stringValue ?? "")]
        }
        for subcommand in command["subcommands"]?.arrayValue ?? [] { lines += self.command(subcommand, prefix: full) }
        return lines
    }

    private static func spelling(_ argument: JSONValue) -> String {
        let value = argument["valueName"]?.stringValue ?? "value"
        if argument["kind"]?.stringValue == "positional" { return "<\(value)>" }
        let names = (argument["names"]?.arrayValue ?? []).compactMap { name -> String? in
            guard let text = name["name"]?.stringValue else { return nil }
            return name["kind"]?.stringValue == "long" ? "--\(text)" : "-\(text)"
        }
        return names.joined(separator: ", ") + (argument["kind"]?.stringValue == "option" ? " <\(value)>" : "")
    }

    private static func paragraphs(_ text: String) -> [String] {
        text.isEmpty
            ? []
            : [".PP", ".nf"] + text.split(separator: "\n", omittingEmptySubsequences: false).map { escape(String($0)) }
                + [".fi"]
    }

    /// A dot or quote at the start of a line is a request to troff; a backslash always is.
    private static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text { escaped += character == "\\" ? "\\e" : character == "-" ? "\\-" : String(character) }
        return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
    }
}
