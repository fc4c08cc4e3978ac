import YAML

/// What other tools call something, and what a Wanderfile has instead.
enum ForeignKey: Sendable {
    /// A key of this map that takes the same value.
    case key(String)
    /// A key of this map with a unit that the other tool leaves out, such as Vagrant's memory in MiB.
    case size(String, unit: String)
    /// A line that is made of the value; where the value does not say enough, a sentence.
    case line(@Sendable (Node) -> String?, otherwise: String)
    /// Whatever else is to be done, as a sentence.
    case words(String)

    /// The advice for a value as it was written.
    func advice(for value: Node) -> String {
        if let line = line(for: value) { return "Write '\(line)'." }
        return switch self {
        case .words(let words), .line(_, otherwise: let words): words
        case .key(let key), .size(let key, _): "Did you mean '\(key)'?"
        }
    }

    /// The line that a Wanderfile has instead, with the value as it was written; nil where there is none.
    func line(for value: Node) -> String? {
        switch self {
        case .words: return nil
        case .line(let make, _): return make(value)
        case .key(let key): return value.shortText.map { "\(key): \($0)" }
        case .size(let key, let unit):
            guard let text = value.shortText else { return nil }
            let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            return "\(key): \(text)\(isNumber ? unit : "")"
        }
    }

    /// Several names with one piece of advice.
    static func table(_ rows: [(names: [String], advice: ForeignKey)]) -> [String: ForeignKey] {
        Dictionary(rows.flatMap { row in row.names.map { ($0, row.advice) } }, uniquingKeysWith: { first, _ in first })
    }
}

extension Node {
    /// A value that may be in a message.
    var shortText: String? {
        guard let text = scalar, !isNull, text.utf8.count <= 60, !text.utf8.contains(0x0a) else { return nil }
        return text
    }

    /// The value of the first of some keys that is there, if it may be in a message.
    func shortText(_ names: String...) -> String? {
        names.lazy.compactMap { name in self[name]?.shortText }.first
    }
}
