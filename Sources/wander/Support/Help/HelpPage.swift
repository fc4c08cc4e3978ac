import Glibc
import LinuxSystem

/// What `wander VERB --help` prints: the verb's own arguments and options, then one line that says where to find the
/// options of every command.
struct HelpPage {
    let command: CommandDescription
    /// In characters.
    var width = HelpPage.terminalWidth

    static var terminalWidth: Int {
        min(max(TerminalSize.of(STDOUT_FILENO).map { Int($0.columns) } ?? 80, 50), 120)
    }

    /// ArgumentParser fills its help to `COLUMNS`, or else to the terminal, and traps where that is narrower than its
    /// first column. For a process that ends with that help.
    static func limitParserWidth() {
        let said = environmentVariable("COLUMNS").flatMap { Int($0) } ?? terminalWidth
        setenv("COLUMNS", "\(min(max(said, 50), 500))", 1)
    }

    var text: String {
        let own = command.arguments.filter { $0.isShown && !$0.isGlobal }
        let words = own.filter { !$0.isPositional } + own.filter(\.isPositional)
        var lines = Self.wrap("OVERVIEW: \(command.abstract)", to: width) + [""]
        if !command.discussion.isEmpty {
            lines +=
                command.discussion.split(separator: "\n", omittingEmptySubsequences: false)
                .flatMap { Self.wrap(String($0), to: width) } + [""]
        }
        lines +=
            Self.wrap(
                "USAGE: \(([command.path] + (command.subcommands.isEmpty ? words.map(\.usage) : ["<subcommand>"])).joined(separator: " "))",
                to: width, hanging: 7) + [""]
        lines += section("ARGUMENTS", own.filter(\.isPositional))
        lines += section("OPTIONS", own.filter { !$0.isPositional })
        if !command.subcommands.isEmpty {
            lines.append("SUBCOMMANDS:")
            for subcommand in command.subcommands where subcommand.isShown {
                let name = subcommand.path.split(separator: " ").last.map(String.init) ?? ""
                lines += Self.element(name, subcommand.abstract, width)
            }
            return lines.joined(separator: "\n") + "\n\n  See '\(command.path) SUBCOMMAND --help'."
        }
        return (lines + [Self.footer]).joined(separator: "\n")
    }

    static let footer =
        "Options of every command (--json, --quiet, --yes, --file FILE, ...): wander help options"

    private func section(_ title: String, _ arguments: [CommandDescription.Argument]) -> [String] {
        guard !arguments.isEmpty else { return [] }
        return ["\(title):"] + arguments.flatMap { Self.element($0.spelling, $0.abstract, width) } + [""]
    }

    /// The options that every command takes, as `wander help options` lists them.
    static func globalOptions(_ root: CommandDescription, width: Int = terminalWidth) -> [String] {
        // `up` takes all of them.
        let arguments = root.find(["up"]).arguments.filter { $0.isGlobal && $0.isShown }
        return arguments.flatMap { element($0.spelling, $0.abstract, width) }
    }

    /// A name, and beside or below it what it means.
    private static func element(_ name: String, _ meaning: String, _ width: Int) -> [String] {
        let column = 26
        var lines = wrap(String(repeating: " ", count: column) + meaning, to: width, hanging: column)
        guard name.count + 4 <= column else { return ["  \(name)"] + lines }
        lines[0] = "  \(name)" + lines[0].dropFirst(name.count + 2)
        return lines
    }

    /// Breaks a line between words. One that begins with blanks or has columns is an example, and stays as it is.
    /// - Parameter hanging: By how many blanks all lines but the first are indented.
    static func wrap(_ text: String, to width: Int, hanging: Int = 0) -> [String] {
        let start = text.prefix { $0 == " " }
        guard hanging > 0 || (start.isEmpty && !text.contains("  ")) else { return [text] }
        var lines: [String] = []
        var line = String(start)
        for word in text.split(separator: " ") {
            let isEmpty = line.allSatisfy { $0 == " " }
            if !isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = String(repeating: " ", count: hanging) + word
            } else {
                line += (isEmpty ? "" : " ") + word
            }
        }
        return lines + [line]
    }
}
