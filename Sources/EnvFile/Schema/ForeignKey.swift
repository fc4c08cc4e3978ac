/// What other tools call something, and what to write here instead.
enum ForeignKey: Sendable {
    /// A key of this map that takes the same value.
    case key(String)
    /// A key of this map with a unit that the other tool leaves out, such as Vagrant's memory in MiB.
    case size(String, unit: String)
    /// Whatever else is to be done, as a sentence.
    case words(String)

    /// The advice for a value as it was written.
    func advice(for value: Node) -> String {
        switch self {
        case .words(let words): return words
        case .key(let key):
            guard let text = Self.short(value) else { return "Did you mean '\(key)'?" }
            return "Write '\(key): \(text)'."
        case .size(let key, let unit):
            guard let text = Self.short(value) else { return "Did you mean '\(key)'?" }
            let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            return "Write '\(key): \(text)\(isNumber ? unit : "")'."
        }
    }

    /// A value that may stand in a message.
    private static func short(_ value: Node) -> String? {
        guard let text = value.scalar, !value.isNull, text.utf8.count <= 60, !text.utf8.contains(0x0a) else {
            return nil
        }
        return text
    }

    /// Several names with one piece of advice.
    static func table(_ rows: [(names: [String], advice: ForeignKey)]) -> [String: ForeignKey] {
        Dictionary(rows.flatMap { row in row.names.map { ($0, row.advice) } }, uniquingKeysWith: { first, _ in first })
    }
}
