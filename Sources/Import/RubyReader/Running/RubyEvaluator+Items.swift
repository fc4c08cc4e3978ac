/// What can be gone through, and methods of ranges.
extension RubyEvaluator {
    /// The items of what can be gone through; nil if it cannot, and that is told.
    func items(of value: RubyValue, at line: Int) throws(RubyJump) -> [RubyValue]? {
        switch value {
        case .list(let list): return list.items
        case .range(let low, let high):
            guard low <= high else { return [] }
            let (width, overflows) = high.subtractingReportingOverflow(low)
            guard !overflows, width < Int64(RubyLimits.items) else { throw .limit }
            try count(Int(width) + 1)
            return (0...width).map { .integer(low + $0) }
        case .table(let table):
            try count(table.count * 2)
            return table.pairs.map { .list(RubyList([$0.key, $0.value])) }
        case .null: return []
        case .unknown(let unknown):
            tell(.undecided, "the loop is left out: \(unknown.reason)", at: line)
            return nil
        default:
            tell(.undecided, "the loop is left out: what it goes through is not a list", at: line)
            return nil
        }
    }

    func answerRange(_ low: Int64, _ high: Int64, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        switch call.name {
        case "begin": return .integer(low)
        case "end": return .integer(high)
        case "first" where call.arguments.isEmpty: return .integer(low)
        case "last" where call.arguments.isEmpty: return .integer(high)
        case "include?", "cover?", "member?", "===":
            return number(call.arguments.first ?? .null, at: call.line).map { .flag(low <= $0 && $0 <= high) }
        case "step", "%":
            guard let width = call.arguments.first?.integer, width > 0, low <= high else { return nil }
            let (length, overflows) = high.subtractingReportingOverflow(low)
            guard !overflows, length / width < Int64(RubyLimits.items) else { throw .limit }
            let values = (0...length / width).map { RubyValue.integer(low + $0 * width) }
            return try answerItems(values, RubyCall("each", block: call.block, line: call.line))
        default:
            guard let items = try items(of: .range(low, high), at: call.line) else { return nil }
            return try answerItems(items, call)
        }
    }
}
