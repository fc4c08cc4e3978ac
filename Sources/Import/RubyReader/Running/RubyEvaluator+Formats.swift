/// Texts that are made of values by a format.
extension RubyEvaluator {
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
