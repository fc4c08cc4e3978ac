extension RubyParser {
    /// The operators with two sides, from those that bind least.
    private static let levels: [[String]] = [
        ["||"], ["&&"], ["<=>", "==", "===", "!=", "=~", "!~"], ["<", "<=", ">", ">="], ["|", "^"], ["&"],
        ["<<", ">>"], ["+", "-"], ["*", "/", "%"],
    ]
    private static let changes: Set<String> = [
        "+=", "-=", "*=", "/=", "%=", "||=", "&&=", "<<=", "|=", "&=", "**=", ">>=", "^=",
    ]

    /// An expression with a choice, a range or an assignment in it.
    mutating func expression() throws(Mistake) -> RubyNode {
        try nested { parser throws(Mistake) in try parser.wholeExpression() }
    }

    private mutating func wholeExpression() throws(Mistake) -> RubyNode {
        try assigned(try choiceOrRange())
    }

    /// What was read, as the target of an assignment if that is next.
    private mutating func assigned(_ left: RubyNode) throws(Mistake) -> RubyNode {
        guard case .punctuation(let mark) = current.kind else { return left }
        if mark == "=", isTarget(left) {
            skip()
            skipNewlines()
            let target = variable(left)
            let value = try values()
            if takeKeyword("rescue") { _ = try expression() }
            return RubyNode(line: left.line, kind: .assign(to: target, value))
        }
        guard Self.changes.contains(mark), isTarget(left) else { return left }
        skip()
        skipNewlines()
        let target = variable(left)
        return RubyNode(line: left.line, kind: .change(target, by: String(mark.dropLast()), try expression()))
    }

    private mutating func choiceOrRange() throws(Mistake) -> RubyNode {
        let condition = try range()
        guard current.isPunctuation("?") else { return condition }
        skip()
        skipNewlines()
        let first: RubyNode
        // `condition ? name : other` with no space before the colon.
        if case .label(let pieces) = current.kind, case .text(let name)? = pieces.first {
            first = RubyNode(line: line, kind: .call(RubyNode.Call(receiver: nil, name: name)))
            skip()
        } else {
            first = try expression()
            skipNewlines()
            try expect(":")
        }
        skipNewlines()
        let second = try expression()
        return RubyNode(line: condition.line, kind: .choice(condition, then: [first], otherwise: [second]))
    }

    private mutating func range() throws(Mistake) -> RubyNode {
        let left = try binary(0)
        guard current.isPunctuation("..") || current.isPunctuation("...") else { return left }
        let excludesEnd = current.isPunctuation("...")
        skip()
        let isOpen = isAtNewline || current.isPunctuation(")") || current.isPunctuation("]")
        let right: RubyNode? = isOpen ? nil : try binary(0)
        return RubyNode(line: left.line, kind: .range(left, right, excludesEnd: excludesEnd))
    }

    private mutating func binary(_ level: Int) throws(Mistake) -> RubyNode {
        guard level < Self.levels.count else { return try prefix() }
        var left = try binary(level + 1)
        var isChain = false
        while case .punctuation(let mark) = current.kind, Self.levels[level].contains(mark) {
            let line = line
            if isChain { try link() }
            isChain = true
            skip()
            skipNewlines()
            var right = try binary(level + 1)
            // `a && b = c` gives `b` a value.
            if mark == "&&" || mark == "||" { right = try assigned(right) }
            let kind: RubyNode.Kind
            switch mark {
            case "||": kind = .or(left, right)
            case "&&": kind = .and(left, right)
            case "!=", "!~":
                let call = RubyNode.Call(receiver: left, name: mark == "!=" ? "==" : "=~", arguments: [right])
                kind = .not(RubyNode(line: line, kind: .call(call)))
            default: kind = .call(RubyNode.Call(receiver: left, name: mark, arguments: [right]))
            }
            left = RubyNode(line: left.line, kind: kind)
        }
        return left
    }

    private mutating func prefix() throws(Mistake) -> RubyNode {
        let line = line
        if take("!") {
            return RubyNode(line: line, kind: .not(try nested { parser throws(Mistake) in try parser.prefix() }))
        }
        if current.isPunctuation("-") {
            skip()
            let value = try nested { parser throws(Mistake) in try parser.prefix() }
            switch value.kind {
            case .integer(let number): return RubyNode(line: line, kind: .integer(0 &- number))
            case .decimal(let number): return RubyNode(line: line, kind: .decimal(-number))
            default: return RubyNode(line: line, kind: .call(RubyNode.Call(receiver: value, name: "-@")))
            }
        }
        if take("+") { return try nested { parser throws(Mistake) in try parser.prefix() } }
        let base = try postfix()
        guard take("**") else { return base }
        let exponent = try nested { parser throws(Mistake) in try parser.prefix() }
        return RubyNode(line: line, kind: .call(RubyNode.Call(receiver: base, name: "**", arguments: [exponent])))
    }
}
