/// One statement: with what is said after it, and assignments.
extension RubyParser {
    /// A statement with what is said after it: `... if condition`.
    mutating func statement() throws(Mistake) -> RubyNode {
        var node = try conjunction()
        while case .keyword(let word) = current.kind, ["if", "unless", "while", "until", "rescue"].contains(word) {
            let line = line
            try link()
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
            try link()
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

    mutating func splat() throws(Mistake) -> RubyNode {
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
}
