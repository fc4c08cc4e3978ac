/// A list that several variables may share, as in Ruby.
public final class RubyList {
    public var items: [RubyValue]
    public init(_ items: [RubyValue]) { self.items = items }
}

/// A table in the order in which it was made. Several variables may share it.
public final class RubyTable {
    public private(set) var keys: [RubyValue] = []
    public private(set) var values: [RubyValue] = []
    private var indices: [Key: Int] = [:]
    /// What a missing key gives.
    var standard = RubyValue.null

    enum Key: Hashable {
        case text(String)
        case symbol(String)
        case number(Int64)
        case other(String)

        init(_ value: RubyValue) {
            switch value {
            case .string(let text):
                // As if no variable was set, which is told where something is looked up.
                self = RubyPlaceholder.number(text).map { .number($0) } ?? .text(RubyPlaceholder.withoutVariables(text))
            case .symbol(let text): self = .symbol(text)
            case .integer(let number): self = .number(number)
            default: self = .other(value.inspected)
            }
        }
    }

    public init() {}

    public var count: Int { keys.count }
    var pairs: [(key: RubyValue, value: RubyValue)] { Array(zip(keys, values)).map { (key: $0.0, value: $0.1) } }

    public subscript(key: RubyValue) -> RubyValue? {
        get { indices[Key(key)].map { values[$0] } }
        set {
            let name = Key(key)
            if let index = indices[name] {
                if let newValue {
                    values[index] = newValue
                } else {
                    remove(at: index)
                }
            } else if let newValue {
                indices[name] = keys.count
                keys.append(key)
                values.append(newValue)
            }
        }
    }

    /// The value of a name, whether it is a text or a symbol.
    public func named(_ name: String) -> RubyValue? { self[.symbol(name)] ?? self[.string(name)] }

    private func remove(at index: Int) {
        keys.remove(at: index)
        values.remove(at: index)
        indices = Dictionary(keys.enumerated().map { (Key($1), $0) }, uniquingKeysWith: { $1 })
    }

    func copy() -> RubyTable {
        let table = RubyTable()
        for (key, value) in pairs { table[key] = value }
        table.standard = standard
        return table
    }
}
