/// Arguments and blocks of calls.
extension RubyParser {
    /// Whether the current word begins an argument without parentheses: `vm.network "private_network"`.
    var startsArgument: Bool {
        guard current.hasSpaceBefore else {
            // `define"web"` and `define:web` are calls all the same.
            switch current.kind {
            case .string, .symbol: return true
            default: return false
            }
        }
        switch current.kind {
        case .integer, .decimal, .string, .program, .pattern, .symbol, .words, .name, .constant, .variable, .label:
            return true
        case .keyword(let word):
            return ["nil", "true", "false", "self", "not", "defined?", "__FILE__", "__dir__", "lambda", "case", "if"]
                .contains(word) && !(word == "if")
        case .punctuation(let mark):
            switch mark {
            case "->", "!", "[": return true
            case "-", "*", "&", "**", "::", ":": return !current.hasSpaceAfter
            case "(": return true
            default: return false
            }
        default: return false
        }
    }

    mutating func callArguments() throws(Mistake) -> [RubyNode] {
        if current.isPunctuation("("), !current.hasSpaceBefore {
            skip()
            return try list(until: ")")
        }
        return startsArgument ? try bareArguments() : []
    }

    mutating func bareArguments() throws(Mistake) -> [RubyNode] {
        var arguments: [RubyNode] = []
        var pairs: [RubyNode.Pair] = []
        let start = line
        repeat {
            if !(arguments.isEmpty && pairs.isEmpty) { skipNewlines() }
            // `define name.to_s do`: the block is for `define`. Braces are for the call that is next to them.
            try leavingDo(true) { parser throws(Mistake) in try parser.argument(into: &arguments, &pairs) }
        } while take(",")
        if !pairs.isEmpty { arguments.append(RubyNode(line: start, kind: .hash(pairs))) }
        return arguments
    }

    /// Items up to a bracket, which is read. Pairs without braces become one table at the end.
    mutating func list(until end: String) throws(Mistake) -> [RubyNode] {
        try nested { parser throws(Mistake) in
            let before = parser.leavesDo
            parser.leavesDo = false
            defer { parser.leavesDo = before }
            var items: [RubyNode] = []
            var pairs: [RubyNode.Pair] = []
            let start = parser.line
            parser.skipNewlines()
            while !parser.current.isPunctuation(end) {
                try parser.argument(into: &items, &pairs)
                parser.skipNewlines()
                guard parser.take(",") else { break }
                parser.skipNewlines()
            }
            try parser.expect(end)
            if !pairs.isEmpty { items.append(RubyNode(line: start, kind: .hash(pairs))) }
            return items
        }
    }

    private mutating func argument(
        into items: inout [RubyNode], _ pairs: inout [RubyNode.Pair]
    ) throws(Mistake) {
        let line = line
        if take("*") {
            return items.append(RubyNode(line: line, kind: .splat(try expression())))
        }
        if take("&") {
            return items.append(RubyNode(line: line, kind: .blockPass(try expression())))
        }
        if let pair = try pair() { return pairs.append(pair) }
        let value = try argumentStatement()
        guard take("=>") else { return items.append(value) }
        skipNewlines()
        pairs.append(RubyNode.Pair(key: value, value: try expression()))
    }

    private mutating func argumentStatement() throws(Mistake) -> RubyNode {
        let line = line
        guard takeKeyword("not") else { return try expression() }
        return RubyNode(line: line, kind: .not(try expression()))
    }

    /// `key: value` or `**options`; nil if it is neither.
    private mutating func pair() throws(Mistake) -> RubyNode.Pair? {
        let line = line
        if take("**") { return RubyNode.Pair(key: nil, value: try expression()) }
        guard case .label(let pieces) = current.kind else { return nil }
        skip()
        let key = RubyNode(line: line, kind: .symbol(try parts(pieces)))
        skipNewlines()
        if current.isPunctuation(",") || current.isPunctuation("}") || current.isPunctuation(")"),
            case .text(let name)? = pieces.first
        {
            // `{ name: }` has the variable of that name.
            return RubyNode.Pair(key: key, value: RubyNode(line: line, kind: .variable(name)))
        }
        return RubyNode.Pair(key: key, value: try expression())
    }

    /// A parameter's default. A `|` ends the parameters of a block there.
    mutating func argumentValue(isInBars: Bool) throws(Mistake) -> RubyNode {
        try isInBars ? postfix() : expression()
    }

    /// `{ |a| ... }` or `do |a| ... end` after a call; nil if there is none.
    mutating func block() throws(Mistake) -> RubyNode.Function? {
        let isBrace = current.isPunctuation("{")
        guard isBrace || current.isKeyword("do") && !leavesDo else { return nil }
        return try nested { parser throws(Mistake) in
            let before = parser.leavesDo
            parser.leavesDo = false
            defer { parser.leavesDo = before }
            parser.skip()
            var function = RubyNode.Function()
            parser.skipNewlines()
            if parser.take("|") {
                function.parameters = try parser.parameters(until: "|")
                try parser.expect("|")
            } else if parser.take("||") {
                // No parameters.
            }
            try parser.readBody(&function, isBrace)
            return function
        }
    }

    private mutating func readBody(_ function: inout RubyNode.Function, _ isBrace: Bool) throws(Mistake) {
        guard isBrace else {
            function.body = body()
            return
        }
        function.body = statements(until: [], brace: true)
        try expect("}")
    }
}
