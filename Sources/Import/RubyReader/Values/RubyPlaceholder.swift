/// A variable of the environment in a text that is made while a file is read: its value is only known later, when the
/// environment is used.
public enum RubyPlaceholder {
    // Scalars for private use, which no file may bring: see `removed(from:)`.
    private static let start: Character = "\u{f5a00}"
    private static let middle: Character = "\u{f5a01}"
    private static let end: Character = "\u{f5a02}"

    /// - Parameter fallback: What counts if the variable is not set; nil: nothing was said.
    static func text(_ name: String, fallback: String?) -> String {
        let fallback = fallback.map { resolved($0) { $1 ?? "" } }
        return "\(start)\(name)\(fallback.map { "\(middle)\($0)" } ?? "")\(end)"
    }

    static func removed(from text: String) -> String {
        guard text.unicodeScalars.contains(where: { (0xf5a00...0xf5a02).contains($0.value) }) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.filter { !(0xf5a00...0xf5a02).contains($0.value) }))
    }

    public static func isIn(_ text: String) -> Bool { text.contains(start) }

    /// Whether the text is one variable and nothing else.
    static func isWhole(_ text: String) -> Bool {
        text.first == start && text.last == end && text.count { $0 == start } == 1
    }

    /// The text with each variable replaced.
    public static func resolved(_ text: String, _ replace: (_ name: String, _ fallback: String?) -> String) -> String {
        guard isIn(text) else { return text }
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: start) {
            result += rest[..<open]
            let inner = rest[rest.index(after: open)...]
            guard let close = inner.firstIndex(of: end) else { return result }
            let parts = inner[..<close].split(separator: middle, maxSplits: 1, omittingEmptySubsequences: false)
            result += replace(String(parts[0]), parts.count > 1 ? String(parts[1]) : nil)
            rest = inner[inner.index(after: close)...]
        }
        return result + rest
    }

    /// The text as if no variable was set.
    public static func withoutVariables(_ text: String) -> String { resolved(text) { $1 ?? "" } }
}
