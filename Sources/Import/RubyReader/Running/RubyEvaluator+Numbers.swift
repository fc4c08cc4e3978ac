/// Methods of numbers.
extension RubyEvaluator {
    func answerNumber(_ value: RubyValue, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        let argument = call.arguments.first
        if let unknown = argument?.unknown { return .unknown(unknown) }
        if case .decimal(let number) = value { return try answerDecimal(number, call) }
        guard let left = value.integer else { return nil }
        switch call.name {
        case "+", "-", "*", "/", "%", "modulo", "**", "<<", ">>", "&", "|", "div":
            if case .decimal? = argument { return try answerDecimal(Double(left), call) }
            guard let right = number(argument ?? .null, at: call.line) else { return nil }
            return Self.calculated(left, call.name, right).map { .integer($0) }
        case "<", ">", "<=", ">=": return compare(value, call)
        case "<=>": return value.compared(to: argument ?? .null).map { .integer(Int64($0)) }
        case "-@": return .integer(0 &- left)
        case "abs": return .integer(Int64(clamping: left.magnitude))
        case "to_i", "to_int", "floor", "ceil", "round", "truncate", "ord": return value
        case "to_f": return .decimal(Double(left))
        case "to_s":
            guard let base = argument?.integer else { return .string("\(left)") }
            return (2...36).contains(base) ? .string(String(left, radix: Int(base))) : nil
        case "chr": return UInt8(exactly: left).map { .string(String(Character(Unicode.Scalar($0)))) }
        case "succ", "next": return .integer(left &+ 1)
        case "pred": return .integer(left &- 1)
        case "even?": return .flag(left % 2 == 0)
        case "odd?": return .flag(left % 2 != 0)
        case "zero?": return .flag(left == 0)
        case "positive?": return .flag(left > 0)
        case "negative?": return .flag(left < 0)
        case "between?":
            guard call.arguments.count == 2, let low = call.arguments[0].integer, let high = call.arguments[1].integer
            else {
                return nil
            }
            return .flag(low <= left && left <= high)
        case "times": return try repeated(from: 0, to: max(left, 0) - 1, call)
        case "upto": return try repeated(from: left, to: number(argument ?? .null, at: call.line) ?? left, call)
        case "downto":
            guard let end = number(argument ?? .null, at: call.line), end <= left else { return value }
            let items = try items(of: .range(end, left), at: call.line) ?? []
            return try answerItems(items.reversed(), RubyCall("each", block: call.block, line: call.line))
        default: return nil
        }
    }

    private func repeated(from low: Int64, to high: Int64, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        let items = try items(of: .range(low, high), at: call.line) ?? []
        return try answerItems(items, RubyCall("each", block: call.block, line: call.line))
    }

    private static func calculated(_ left: Int64, _ name: String, _ right: Int64) -> Int64? {
        switch name {
        case "+": return left.addingReportingOverflow(right).overflow ? nil : left + right
        case "-": return left.subtractingReportingOverflow(right).overflow ? nil : left - right
        case "*": return left.multipliedReportingOverflow(by: right).overflow ? nil : left * right
        case "/", "div":
            guard right != 0, !left.dividedReportingOverflow(by: right).overflow else { return nil }
            let quotient = left / right
            return left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient
        case "%", "modulo":
            guard right != 0, right != -1 else { return right == 0 ? nil : 0 }
            let rest = left % right
            return rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest
        case "**":
            guard (0...62).contains(right) else { return nil }
            var result: Int64 = 1
            for _ in 0..<right {
                let (product, isTooLarge) = result.multipliedReportingOverflow(by: left)
                if isTooLarge { return nil }
                result = product
            }
            return result
        case "<<": return (0..<32).contains(right) && left.magnitude < 1 << 30 ? left << right : nil
        case ">>": return (0..<64).contains(right) ? left >> right : nil
        case "&": return left & right
        case "|": return left | right
        default: return nil
        }
    }

    private func answerDecimal(_ left: Double, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        var right = 0.0
        switch call.arguments.first {
        case .decimal(let number): right = number
        case .integer(let number): right = Double(number)
        default: break
        }
        switch call.name {
        case "+": return .decimal(left + right)
        case "-": return .decimal(left - right)
        case "*": return .decimal(left * right)
        case "/": return right == 0 ? nil : .decimal(left / right)
        case "to_i", "truncate": return Int64(exactly: left.rounded(.towardZero)).map { .integer($0) }
        case "floor": return Int64(exactly: left.rounded(.down)).map { .integer($0) }
        case "ceil": return Int64(exactly: left.rounded(.up)).map { .integer($0) }
        case "round": return Int64(exactly: left.rounded()).map { .integer($0) }
        case "to_f": return .decimal(left)
        case "<", ">", "<=", ">=": return compare(.decimal(left), call)
        default: return nil
        }
    }

    func compare(_ left: RubyValue, _ call: RubyCall) -> RubyValue? {
        var right = call.arguments.first ?? .null
        if case .string(let text) = right, RubyPlaceholder.isIn(text), case .integer = left {
            right = number(right, at: call.line).map { .integer($0) } ?? right
        }
        guard let order = left.compared(to: right) else { return nil }
        switch call.name {
        case "<": return .flag(order < 0)
        case ">": return .flag(order > 0)
        case "<=": return .flag(order <= 0)
        default: return .flag(order >= 0)
        }
    }
}
