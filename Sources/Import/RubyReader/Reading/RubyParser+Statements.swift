extension RubyParser {
    /// A statement with what is said after it: `... if condition`.
    mutating func statement() throws(Mistake) -> RubyNode {
        var node = try conjunction()
        while case .keyword(let word) = current.kind, ["if", "unless", "while", "until", "rescue"].contains(word) {
            let line = line
            skip()
            let condition = try conjunction()
            switch word {
            case "if": node = RubyNode(line: line, kind: .choice(condition, then: [node], otherwise: []))
            case "unless": node = RubyNode(line: line, kind: .choice(condition, then: [], otherwise: [node]))
            case "rescue": break
            default: node = RubyNode(line: line, kind: .loop(condition, until: word == "until", [node]))
            }
        }
        return node
    }

    /// `a and b`, `a or b`, `not a`.
    private mutating func conjunction() throws(Mistake) -> RubyNode {
        var node = try negation()
        while case .keyword(let word) = current.kind, word == "and" || word == "or" {
            skip()
            skipNewlines()
            let right = try negation()
            node = RubyNode(line: node.line, kind: word == "and" ? .and(node, right) : .or(node, right))
        }
        return node
    }

    private mutating func negation() throws(Mistake) -> RubyNode {
        let line = line
        guard takeKeyword("not") else { return try assignment() }
        return RubyNode(line: line, kind: .not(try nested { parser throws(Mistake) in try parser.negation() }))
    }

    /// An expression, which may give values to variables.
    private mutating func assignment() throws(Mistake) -> RubyNode {
        let left = try current.isPunctuation("*") ? splat() : expression()
        guard current.isPunctuation(","), isTarget(left) else { return left }
        // `a, b = 1, 2`, and nothing else has a comma here.
        var targets = [left]
        while take(",") {
            targets.append(try current.isPunctuation("*") ? splat() : postfix())
        }
        guard take("=") else { throw mistake("'=' is expected, not '\(word)'") }
        skipNewlines()
        return RubyNode(line: left.line, kind: .assignMany(targets.map { variable($0) }, try values()))
    }

    private mutating func splat() throws(Mistake) -> RubyNode {
        let line = line
        skip()
        return RubyNode(line: line, kind: .splat(try postfix()))
    }

    /// The right side of an assignment: one value, or several as a list.
    mutating func values() throws(Mistake) -> RubyNode {
        let first = try current.isPunctuation("*") ? splat() : expression()
        var isList = current.isPunctuation(",")
        if case .splat = first.kind { isList = true }
        guard isList else { return first }
        var items = [first]
        while take(",") {
            skipNewlines()
            items.append(try current.isPunctuation("*") ? splat() : expression())
        }
        return RubyNode(line: first.line, kind: .array(items))
    }

    /// A target of an assignment. A name that nobody has assigned before looks like a call.
    mutating func variable(_ node: RubyNode) -> RubyNode {
        switch node.kind {
        case .call(let call) where call.receiver == nil && call.name != "[]" && call.arguments.isEmpty:
            variables.insert(call.name)
            return RubyNode(line: node.line, kind: .variable(call.name))
        case .splat(let inner): return RubyNode(line: node.line, kind: .splat(variable(inner)))
        default: return node
        }
    }

    func isTarget(_ node: RubyNode) -> Bool {
        switch node.kind {
        case .variable, .constant, .splat: true
        case .call(let call): call.block == nil && (call.name == "[]" || call.arguments.isEmpty)
        default: false
        }
    }

    // MARK: - What begins with a keyword

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
        let before = isInLoopHead
        isInLoopHead = true
        defer { isInLoopHead = before }
        let result = try read(&self)
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

    private mutating func function(_ line: Int) throws(Mistake) -> RubyNode {
        var isOfModule = false
        if current.isKeyword("self") || next.isPunctuation(".") {
            isOfModule = true
            skip()
            try expect(".")
        }
        guard let name = methodName() else { throw mistake("a function's name is expected, not '\(word)'") }
        skip()
        var function = RubyNode.Function()
        if take("(") {
            function.parameters = try parameters(until: ")")
            try expect(")")
        } else if !isAtNewline, !current.isPunctuation("=") {
            function.parameters = try parameters(until: nil)
        }
        if take("=") {
            skipNewlines()
            function.body = [try statement()]
        } else {
            function.body = body()
        }
        return RubyNode(line: line, kind: .function(name, function, isOfModule: isOfModule))
    }

    private mutating func module(_ line: Int) throws(Mistake) -> RubyNode {
        var name = ""
        if case .constant(let text) = current.kind { name = text }
        while !isAtNewline, !isAtEnd {
            if case .constant(let text) = current.kind, !current.hasSpaceBefore { name = text }
            skip()
        }
        return RubyNode(line: line, kind: .module(name, body()))
    }

    /// The parameters of a function or a block.
    mutating func parameters(until end: String?) throws(Mistake) -> [RubyNode.Parameter] {
        var result: [RubyNode.Parameter] = []
        skipNewlinesIn(end)
        while !isAtEnd, end.map({ !current.isPunctuation($0) }) ?? !isAtNewline {
            result.append(try parameter(until: end))
            skipNewlinesIn(end)
            if take(";") { while case .name = current.kind { skip() } }
            guard take(",") else { break }
            skipNewlinesIn(end)
        }
        return result
    }

    private mutating func skipNewlinesIn(_ end: String?) {
        guard end != nil else { return }
        while case .newline = current.kind { skip() }
    }

    private mutating func parameter(until end: String?) throws(Mistake) -> RubyNode.Parameter {
        var parameter = RubyNode.Parameter(name: "")
        if take("(") {
            parameter.parts = try nested { parser throws(Mistake) in try parser.parameters(until: ")") }
            try expect(")")
            return parameter
        }
        if take("*") { parameter.isRest = true }
        if take("**") { parameter.isRest = true }
        if take("&") { parameter.isBlock = true }
        switch current.kind {
        case .name(let name):
            parameter.name = name
            variables.insert(name)
            skip()
            if take("=") { parameter.standard = try argumentValue(isInBars: end == "|") }
        case .label(let pieces):
            parameter.isKey = true
            if case .text(let name)? = pieces.first { parameter.name = name }
            variables.insert(parameter.name)
            skip()
            if !current.isPunctuation(","), !isAtNewline, end.map({ !current.isPunctuation($0) }) ?? true {
                parameter.standard = try argumentValue(isInBars: end == "|")
            }
        default:
            guard parameter.isRest || parameter.isBlock else {
                throw mistake("a parameter's name is expected, not '\(word)'")
            }
        }
        return parameter
    }
}
