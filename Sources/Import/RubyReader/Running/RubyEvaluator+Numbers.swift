/// Methods of numbers, and texts that are made of values by a format.
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
        case "times": return try repeated(from: 0, to: left &- 1, call)
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

    // MARK: - Formats

    /// `format("%s-%02d", name, index)`, and `%{name}` with a table.
    func formatted(_ arguments: [RubyValue], at line: Int) throws(RubyJump) -> RubyValue {
        guard let format = arguments.first?.symbolOrText else { return unknown("this format is not known", at: line) }
        var values = arguments.dropFirst()
        var table: RubyTable?
        if case .table(let named)? = values.first { table = named }
        var result = ""
        var rest = format[...]
        while let mark = rest.firstIndex(of: "%") {
            result += rest[..<mark]
            rest = rest[rest.index(after: mark)...]
            if rest.first == "%" {
                result += "%"
                rest = rest.dropFirst()
                continue
            }
            var named: RubyValue?
            if let open = rest.first, open == "{" || open == "<" {
                let name = rest.dropFirst().prefix { $0 != "}" && $0 != ">" }
                named = table?.named(String(name)) ?? .null
                rest = rest[name.endIndex...].dropFirst()
                if open == "{" {
                    result += named?.text ?? ""
                    continue
                }
            }
            let flags = rest.prefix { "0123456789.-+ #".contains($0) }
            rest = rest[flags.endIndex...]
            guard let kind = rest.popFirst() else { return unknown("this format is not understood", at: line) }
            let value = named ?? values.popFirst() ?? .null
            if let unknown = value.unknown { return .unknown(unknown) }
            guard let text = Self.formatted(value, kind, String(flags)) else {
                return unknown("the format '%\(flags)\(kind)' is not understood", at: line)
            }
            result += text
            guard result.utf8.count <= RubyLimits.textBytes else { throw .limit }
        }
        return try made(result + rest)
    }

    private static func formatted(_ value: RubyValue, _ kind: Character, _ flags: String) -> String? {
        let isLeft = flags.contains("-")
        let parts = flags.filter { $0.isNumber || $0 == "." }.split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let width = min(parts.first.flatMap { Int($0) } ?? 0, 1000)
        let fillsZeros = flags.drop { "-+ #".contains($0) }.hasPrefix("0") && !isLeft
        let text: String
        switch kind {
        case "s", "p":
            guard let plain = kind == "p" ? value.inspected : value.text else { return nil }
            text = plain
        case "d", "i", "u":
            guard let number = value.wholeNumber else { return nil }
            text = (flags.contains("+") && number >= 0 ? "+" : "") + "\(number)"
        case "x", "X", "o", "b":
            guard let number = value.wholeNumber else { return nil }
            let plain = String(number, radix: kind == "o" ? 8 : kind == "b" ? 2 : 16)
            text = kind == "X" ? plain.uppercased() : plain
        case "f":
            guard case .decimal(let number) = value.integer.map({ .decimal(Double($0)) }) ?? value, abs(number) < 1e12
            else { return nil }
            let digits = min(parts.count > 1 ? Int(parts[1]) ?? 0 : 6, 9)
            var scale: Int64 = 1
            for _ in 0..<digits { scale *= 10 }
            guard let scaled = Int64(exactly: (abs(number) * Double(scale)).rounded()) else { return nil }
            let fraction = "\(scaled % scale)"
            let zeros = String(repeating: "0", count: max(0, digits - fraction.count))
            text = (number < 0 ? "-" : "") + "\(scaled / scale)" + (digits == 0 ? "" : ".\(zeros)\(fraction)")
        case "c": text = String(value.symbolOrText?.prefix(1) ?? "")
        default: return nil
        }
        let missing = max(0, width - text.count)
        let fill = String(repeating: fillsZeros && kind != "s" ? "0" : " ", count: missing)
        return isLeft ? text + fill : fill + text
    }
}
