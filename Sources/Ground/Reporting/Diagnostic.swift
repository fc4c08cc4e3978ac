/// One problem (or note) about a text file: where it is, what is wrong, and what would be right.
public struct Diagnostic: Hashable, Sendable {
    public enum Severity: String, Sendable { case error, warning, note }

    public var severity: Severity
    /// One line without a full stop, such as `unknown key 'memry'`.
    public var message: String
    /// What to do, such as `did you mean 'memory'?`.
    public var hint: String?
    public var location: SourceLocation?
    /// The source line that `location` points into, without its line break; the caret is drawn below it.
    public var sourceLine: String?
    /// How many characters the caret's underline covers.
    public var length: Int

    public init(
        _ severity: Severity = .error, _ message: String, hint: String? = nil, at location: SourceLocation? = nil,
        sourceLine: String? = nil, length: Int = 1
    ) {
        self.severity = severity
        self.message = message
        self.hint = hint
        self.location = location
        self.sourceLine = sourceLine
        self.length = length
    }

    /// The diagnostic as lines for a terminal without colour: position and message, source line, caret, hint.
    public var rendered: String {
        let position = location.map { "\($0): " } ?? ""
        var lines = ["\(position)\(severity.rawValue): \(message)"]
        if let sourceLine, let location {
            let (shown, caret) = Self.caret(under: sourceLine, column: location.column, length: length)
            lines.append("    \(shown)")
            lines.append("    \(caret)")
        }
        if let hint { lines.append("    \(hint)") }
        return lines.joined(separator: "\n")
    }

    /// Cuts a long source line around the column (in characters, from 1) and draws the caret line for what is left.
    static func caret(under line: String, column: Int, length: Int) -> (line: String, caret: String) {
        let limit = 100
        // Control characters would move the cursor: a hostile file may not repaint the user's terminal.
        let characters = line.prefix(4096).map { $0.isPrintable ? $0 : ($0 == "\t" ? " " : "?") }
        var offset = min(max(column - 1, 0), characters.count)
        var window = characters[...]
        if characters.count > limit {
            let start = max(0, min(offset - limit / 2, characters.count - limit))
            window = characters[start..<min(start + limit, characters.count)]
            offset -= start
        }
        let underline = max(1, min(length, max(1, window.count - offset)))
        let caret = String(repeating: " ", count: offset) + "^" + String(repeating: "~", count: underline - 1)
        return (String(window), caret)
    }
}

extension Character {
    fileprivate var isPrintable: Bool {
        unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f && !(0x80...0x9f).contains($0.value) }
    }
}
