/// Values beside each other.
extension RubyValue {
    /// Equal as `==` has it.
    func equals(_ other: RubyValue, depth: Int = 0) -> Bool {
        switch (self, other) {
        case (.null, .null), (.null, .environment), (.environment, .null): return true
        case (.flag(let left), .flag(let right)): return left == right
        case (.integer(let left), .integer(let right)): return left == right
        case (.integer(let left), .decimal(let right)), (.decimal(let right), .integer(let left)):
            return Double(left) == right
        case (.decimal(let left), .decimal(let right)): return left == right
        case (.string(let left), .string(let right)):
            guard (RubyPlaceholder.number(left) == nil) == (RubyPlaceholder.number(right) == nil) else { return false }
            return RubyPlaceholder.withoutVariables(left) == RubyPlaceholder.withoutVariables(right)
        case (.string(let text), .integer), (.string(let text), .decimal):
            return RubyPlaceholder.number(text).map { RubyValue.integer($0).equals(other) } ?? false
        case (.integer, .string), (.decimal, .string): return other.equals(self)
        case (.symbol(let left), .symbol(let right)): return left == right
        case (.range(let low, let high), .range(let otherLow, let otherHigh)):
            return low == otherLow && high == otherHigh
        case (.list(let left), .list(let right)):
            guard left.items.count == right.items.count, depth < 8 else { return false }
            return zip(left.items, right.items).allSatisfy { $0.equals($1, depth: depth + 1) }
        case (.table(let left), .table(let right)):
            guard left.count == right.count, depth < 8 else { return false }
            return left.pairs.allSatisfy { pair in right[pair.key]?.equals(pair.value, depth: depth + 1) == true }
        case (.object(let left), .object(let right)): return left === right
        default: return false
        }
    }

    /// Less, equal or more; nil for what cannot be compared.
    func compared(to other: RubyValue, depth: Int = 0) -> Int? {
        func sign<Value: Comparable>(_ left: Value, _ right: Value) -> Int { left < right ? -1 : left > right ? 1 : 0 }
        switch (self, other) {
        case (.integer(let left), .integer(let right)): return sign(left, right)
        case (.integer(let left), .decimal(let right)): return sign(Double(left), right)
        case (.decimal(let left), .integer(let right)): return sign(left, Double(right))
        case (.decimal(let left), .decimal(let right)): return sign(left, right)
        case (.string(let left), .string(let right)), (.symbol(let left), .symbol(let right)): return sign(left, right)
        case (.list(let left), .list(let right)) where depth < 8:
            for (first, second) in zip(left.items, right.items) {
                guard let order = first.compared(to: second, depth: depth + 1) else { return nil }
                if order != 0 { return order }
            }
            return sign(left.items.count, right.items.count)
        default: return nil
        }
    }
}
