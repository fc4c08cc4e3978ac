/// A page for man(1).
extension Page {
    var troff: String {
        var lines = [
            ".TH \(name.uppercased()) \(chapter) \"\" \"wander \(Version.current)\" \"\(chapterTitle)\"", ".SH NAME",
            Self.escape("\(name) - \(summary)"),
        ]
        if let synopsis { lines += [".SH SYNOPSIS", synopsis] }
        return (lines + blocks.flatMap(Self.lines)).joined(separator: "\n") + "\n"
    }

    private static func lines(_ block: Block) -> [String] {
        switch block {
        case .heading(let text): [".SH \(escape(text.uppercased()))"]
        case .subheading(let text): [".SS \(escape(text))"]
        case .paragraph(let text): [".PP"] + split(text).map(escape)
        case .bullets(let items): items.flatMap { [".IP \\(bu 2"] + split($0).map(escape) }
        case .verbatim(let text, _): [".PP", ".nf"] + split(text).map(escape) + [".fi"]
        case .entries(let entries, let columns): entries.flatMap { lines($0, columns) }
        }
    }

    private static func lines(_ entry: Entry, _ columns: [String]) -> [String] {
        let facts = zip(columns, entry.facts).filter { !$1.isEmpty }.map {
            "\($0.prefix(1).uppercased())\($0.dropFirst()): \($1)."
        }
        return [".TP", "\\fB\(escape(entry.name))\\fR"] + ([entry.meaning] + facts).map(escape)
    }

    private static func split(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// A dot at the start of a line is a request to troff, a backslash always is; quotes, tildes and their like would
    /// be printed as others than a shell takes.
    private static func escape(_ text: String) -> String {
        var escaped = text.hasPrefix(".") ? "\\&" : ""
        for character in text {
            switch character {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            case "'": escaped += "\\(aq"
            case "`": escaped += "\\(ga"
            case "^": escaped += "\\(ha"
            case "~": escaped += "\\(ti"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
