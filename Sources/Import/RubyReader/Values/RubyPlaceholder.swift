/// A variable of the environment in a text that is made while a file is read: its value is only known later, when the
/// environment is used.
public enum RubyPlaceholder {
    // Scalars for private use, which no file may bring: see `removed(from:)`.
    private static let start: Character = "\u{f5a00}"
    private static let middle: Character = "\u{f5a01}"
    private static let end: Character = "\u{f5a02}"
    /// Instead of `middle`: the default is a number.
    private static let middleOfNumber: Character = "\u{f5a03}"

    /// - Parameter fallback: What counts if the variable is not set; nil: nothing was said.
    static func text(_ name: String, fallback: String?) -> String {
        let fallback = fallback.map { resolved($0) { $1 ?? "" } }
        return "\(start)\(name)\(fallback.map { "\(middle)\($0)" } ?? "")\(end)"
    }

    static func number(_ name: String, fallback: Int64) -> String {
        "\(start)\(name)\(middleOfNumber)\(fallback)\(end)"
    }

    /// What a variable and nothing else counts as if it is not set, where that is a number; nil for everything else.
    static func number(_ text: String) -> Int64? {
        guard isWhole(text), text.contains(middleOfNumber) else { return nil }
        return Int64(withoutVariables(text))
    }

    /// The same variable as a number, `to_i`, or as a text, `to_s`; nil for everything else.
    static func converted(_ text: String, toNumber: Bool) -> String? {
        guard isWhole(text) else { return nil }
        guard toNumber else { return String(text.map { $0 == middleOfNumber ? middle : $0 }) }
        if text.contains(middleOfNumber) { return text }
        let name = text.dropFirst().prefix { $0 != middle && $0 != end }
        return number(String(name), fallback: RubyValue.string(withoutVariables(text)).wholeNumber ?? 0)
    }

    static func removed(from text: String) -> String {
        guard text.unicodeScalars.contains(where: { (0xf5a00...0xf5a03).contains($0.value) }) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.filter { !(0xf5a00...0xf5a03).contains($0.value) }))
    }

    public static func isIn(_ text: String) -> Bool { text.contains(start) }

    /// Whether a variable begins or ends with a character.
    public static func opens(_ character: Character) -> Bool { character == start }
    public static func closes(_ character: Character) -> Bool { character == end }

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
            let parts = inner[..<close].split(maxSplits: 1, omittingEmptySubsequences: false) {
                $0 == middle || $0 == middleOfNumber
            }
            result += replace(String(parts[0]), parts.count > 1 ? String(parts[1]) : nil)
            rest = inner[inner.index(after: close)...]
        }
        return result + rest
    }

    /// The text as if no variable was set.
    public static func withoutVariables(_ text: String) -> String { resolved(text) { $1 ?? "" } }
}
