/// What begins with a keyword.
extension RubyParser {
    mutating func keywordExpression(_ keyword: String) throws(Mistake) -> RubyNode {
        let line = line
        func node(_ kind: RubyNode.Kind) -> RubyNode { RubyNode(line: line, kind: kind) }
        skip()
        switch keyword {
        case "nil": return node(.null)
        case "true", "false": return node(.flag(keyword == "true"))
        case "self": return node(.selfObject)
        case "__FILE__": return node(.constant("__FILE__", in: nil))
        case "__dir__": return node(.constant("__dir__", in: nil))
        case "__LINE__": return node(.integer(Int64(line)))
        case "if", "unless": return try choice(isNegated: keyword == "unless", line)
        case "while", "until":
            let condition = try loopHead { parser throws(Mistake) in try parser.statement() }
            return node(.loop(condition, until: keyword == "until", body()))
        case "for": return try forLoop(line)
        case "case": return try selection(line)
        case "def": return try function(line)
        case "class", "module": return try module(line)
        case "begin": return node(.group(body()))
        case "break": return node(.jump(.leave, try jumpValue()))
        case "next", "redo", "retry": return node(.jump(.next, try jumpValue()))
        case "return": return node(.jump(.back, try jumpValue()))
        case "yield": return node(.yield(try callArguments()))
        case "super":
            _ = try callArguments()
            return node(.unknown("super"))
        case "defined?":
            let isClosed = take("(")
            let value = try expression()
            if isClosed { try expect(")") }
            return node(.isDefined(value))
        case "alias", "undef":
            while !isAtNewline, !isAtEnd { skip() }
            return node(.null)
        default: throw Mistake(line: line, text: "'\(keyword)' is not expected here")
        }
    }

    private mutating func loopHead<Result>(
        _ read: (inout RubyParser) throws(Mistake) -> Result
    ) throws(Mistake) -> Result {
        let result = try leavingDo(true, read)
        _ = takeKeyword("do")
        return result
    }

    private mutating func jumpValue() throws(Mistake) -> RubyNode? {
        if isAtNewline || isAtEnd || current.isPunctuation("}") { return nil }
        if case .keyword(let word) = current.kind, ["if", "unless", "end", "while", "until"].contains(word) {
            return nil
        }
        return try values()
    }

    private mutating func choice(isNegated: Bool, _ line: Int) throws(Mistake) -> RubyNode {
        let condition = try statement()
        _ = takeKeyword("then")
        let first = statements(until: ["elsif", "else", "end"])
        var second: [RubyNode] = []
        let elseLine = self.line
        if takeKeyword("elsif") {
            second = [try nested { parser throws(Mistake) in try parser.choice(isNegated: false, elseLine) }]
        } else {
            if takeKeyword("else") { second = statements(until: ["end"]) }
            close(line)
        }
        return RubyNode(
            line: line,
            kind: isNegated
                ? .choice(condition, then: second, otherwise: first)
                : .choice(condition, then: first, otherwise: second))
    }

    private mutating func close(_ line: Int) {
        if !takeKeyword("end") { tell("the 'end' of the block from line \(line) is missing") }
    }

    private mutating func forLoop(_ line: Int) throws(Mistake) -> RubyNode {
        var targets = [variable(try postfix())]
        while take(",") { targets.append(variable(try postfix())) }
        guard takeKeyword("in") else { throw mistake("'in' is expected, not '\(word)'") }
        let list = try loopHead { parser throws(Mistake) in try parser.values() }
        return RubyNode(line: line, kind: .forEach(targets, in: list, body()))
    }

    private mutating func selection(_ line: Int) throws(Mistake) -> RubyNode {
        let subject: RubyNode? = isAtNewline ? nil : try statement()
        skipNewlines()
        var branches: [RubyNode.When] = []
        while takeKeyword("when") {
            var values: [RubyNode] = []
            repeat {
                skipNewlines()
                values.append(try current.isPunctuation("*") ? splat() : expression())
            } while take(",")
            _ = takeKeyword("then")
            branches.append(RubyNode.When(values: values, body: statements(until: ["when", "else", "end"])))
        }
        guard !current.isKeyword("in") else { throw mistake("patterns in 'case' are not understood") }
        let otherwise = takeKeyword("else") ? statements(until: ["end"]) : []
        close(line)
        return RubyNode(line: line, kind: .select(subject, branches, otherwise: otherwise))
    }
}
