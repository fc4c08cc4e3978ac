/// Texts, lists, tables and ranges as they are written.
extension RubyEvaluator {
    /// The text of parts, or why it is not known.
    func text(of parts: [RubyNode.Part], in scope: RubyScope, at line: Int) throws(RubyJump) -> RubyValue {
        var result = ""
        var missing: RubyUnknown?
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .code(let statements):
                let value = try evaluate(statements, in: scope)
                guard let text = value.text else {
                    missing =
                        missing ?? value.unknown
                        ?? RubyUnknown(line: line, reason: "a part of this text is not known here")
                    continue
                }
                // What grows without bound is stopped before it is long.
                _ = try made(text)
                result += text
            }
        }
        guard var missing else { return try made(RubyPlaceholder.converted(result, toNumber: false) ?? result) }
        missing.known = String(result.prefix(4000))
        return .unknown(missing)
    }

    func collection(_ node: RubyNode, in scope: RubyScope) throws(RubyJump) -> RubyValue {
        switch node.kind {
        case .array(let nodes):
            return try made(arguments(nodes, in: scope).values)
        case .hash(let pairs):
            let table = RubyTable()
            for pair in pairs {
                let value = try evaluate(pair.value, in: scope)
                if let key = pair.key {
                    try count(1)
                    table[try evaluate(key, in: scope)] = value
                } else if case .table(let other) = value {
                    try count(other.count)
                    for (key, value) in other.pairs { table[key] = value }
                }
            }
            return .table(table)
        case .range(let low, let high, let excludesEnd):
            return try range(low, high, excludesEnd, in: scope, at: node.line)
        case .lambda(let function): return .procedure(RubyProcedure(function, in: scope, isLambda: true))
        case .splat(let inner), .blockPass(let inner): return try evaluate(inner, in: scope)
        default: return .null
        }
    }

    private func range(
        _ low: RubyNode?, _ high: RubyNode?, _ excludesEnd: Bool, in scope: RubyScope, at line: Int
    ) throws(RubyJump) -> RubyValue {
        let first = try low.map { node throws(RubyJump) in try evaluate(node, in: scope) } ?? .integer(0)
        let last = try high.map { node throws(RubyJump) in try evaluate(node, in: scope) } ?? .integer(.max - 1)
        if case .string(let start) = first, case .string(let end) = last, let from = start.unicodeScalars.first?.value,
            let to = end.unicodeScalars.first?.value, start.count == 1, end.count == 1, from <= to, to < 0x80
        {
            let letters = (from...to).compactMap { Unicode.Scalar($0).map { String(Character($0)) } }
            return try made((excludesEnd ? letters.dropLast() : letters).map { .string($0) })
        }
        guard let start = number(first, at: line), let end = number(last, at: line) else {
            return unknown("the ends of this range are not known", at: line)
        }
        guard excludesEnd else { return .range(start, end) }
        return end == .min ? .range(1, 0) : .range(start, end - 1)
    }
}
