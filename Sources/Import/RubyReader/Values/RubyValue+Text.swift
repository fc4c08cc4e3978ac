/// Values as texts and numbers.
extension RubyValue {
    /// As `to_s` has it; nil for what has no text here.
    public var text: String? {
        switch self {
        case .null: ""
        case .flag(let flag): "\(flag)"
        case .integer(let number): "\(number)"
        case .decimal(let number): "\(number)"
        case .string(let text), .symbol(let text): text
        case .range(let low, let high): "\(low)..\(high)"
        case .environment(let name): RubyPlaceholder.text(name, fallback: nil)
        case .list, .table: inspected
        case .pattern, .procedure, .object, .unknown: nil
        }
    }

    /// As `inspect` has it, cut where it is too long or too deep.
    var inspected: String { inspected(depth: 0) }

    private func inspected(depth: Int) -> String {
        guard depth < 6 else { return "..." }
        switch self {
        case .null: return "nil"
        case .string(let text): return "\"\(text.prefix(1000))\""
        case .symbol(let text): return ":\(text)"
        case .list(let list):
            return "[\(list.items.prefix(100).map { $0.inspected(depth: depth + 1) }.joined(separator: ", "))]"
        case .table(let table):
            let pairs = table.pairs.prefix(100).map { pair in
                "\(pair.key.inspected(depth: depth + 1))=>\(pair.value.inspected(depth: depth + 1))"
            }
            return "{\(pairs.joined(separator: ", "))}"
        case .pattern(let text, let flags): return "/\(text)/\(flags)"
        case .procedure: return "a procedure"
        case .object(let object): return object.title
        case .unknown: return "?"
        default: return text ?? "?"
        }
    }

    /// A whole number, also in a text, as `to_i` has it: what does not begin with digits is 0.
    var wholeNumber: Int64? {
        switch self {
        case .integer(let number): return number
        case .decimal(let number): return Int64(exactly: number.rounded(.towardZero))
        case .null, .environment: return 0
        case .string(let text):
            let plain = RubyPlaceholder.withoutVariables(text).drop { $0.isWhitespace }
            let sign = plain.hasPrefix("-") ? "-" : ""
            let digits = plain.dropFirst(sign.count).prefix { ("0"..."9").contains($0) || $0 == "_" }
            return Int64(sign + digits.filter { $0 != "_" }.prefix(18)) ?? 0
        default: return nil
        }
    }

    public var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
    public var symbolOrText: String? {
        switch self {
        case .string(let text), .symbol(let text): text
        default: nil
        }
    }
    public var items: [RubyValue]? { if case .list(let list) = self { list.items } else { nil } }
    public var isNull: Bool { if case .null = self { true } else { false } }
    public var unknown: RubyUnknown? { if case .unknown(let unknown) = self { unknown } else { nil } }

    public static func strings(_ texts: some Sequence<String>) -> RubyValue {
        .list(RubyList(texts.map { .string($0) }))
    }

    /// The first unknown in the value, also in lists and tables.
    public var firstUnknown: RubyUnknown? { firstUnknown(depth: 0) }

    private func firstUnknown(depth: Int) -> RubyUnknown? {
        guard depth < 8 else { return nil }
        switch self {
        case .unknown(let unknown): return unknown
        case .list(let list): return list.items.lazy.compactMap { $0.firstUnknown(depth: depth + 1) }.first
        case .table(let table): return table.values.lazy.compactMap { $0.firstUnknown(depth: depth + 1) }.first
        default: return nil
        }
    }
}
