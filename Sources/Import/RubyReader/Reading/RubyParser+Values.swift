extension RubyParser {
    /// Whether the current word begins an argument without parentheses: `vm.network "private_network"`.
    var startsArgument: Bool {
        guard current.hasSpaceBefore else { return false }
        switch current.kind {
        case .integer, .decimal, .string, .program, .pattern, .symbol, .words, .name, .constant, .variable, .label:
            return true
        case .keyword(let word):
            return ["nil", "true", "false", "self", "not", "defined?", "__FILE__", "__dir__", "lambda", "case", "if"]
                .contains(word) && !(word == "if")
        case .punctuation(let mark):
            switch mark {
            case "->", "!": return true
            case "[", "-", "*", "&", "**", "::", ":": return !current.hasSpaceAfter
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
            try argument(into: &arguments, &pairs)
        } while take(",")
        if !pairs.isEmpty { arguments.append(RubyNode(line: start, kind: .hash(pairs))) }
        return arguments
    }

    /// Items up to a bracket, which is read. Pairs without braces become one table at the end.
    mutating func list(until end: String) throws(Mistake) -> [RubyNode] {
        try nested { parser throws(Mistake) in
            let head = parser.isInLoopHead
            parser.isInLoopHead = false
            defer { parser.isInLoopHead = head }
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
        guard isBrace || current.isKeyword("do") && !isInLoopHead else { return nil }
        return try nested { parser throws(Mistake) in
            let head = parser.isInLoopHead
            parser.isInLoopHead = false
            defer { parser.isInLoopHead = head }
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

    // MARK: - Primary

    mutating func primary() throws(Mistake) -> RubyNode {
        let line = line
        func node(_ kind: RubyNode.Kind) -> RubyNode { RubyNode(line: line, kind: kind) }
        switch current.kind {
        case .integer(let value):
            skip()
            return node(.integer(value))
        case .decimal(let value):
            skip()
            return node(.decimal(value))
        case .string(let pieces):
            skip()
            var all = try parts(pieces)
            // Texts beside each other are one.
            while case .string(let more) = current.kind {
                skip()
                all += try parts(more)
            }
            return node(.string(all))
        case .program:
            skip()
            return node(.unknown("a program of the host"))
        case .pattern(let pieces, let flags):
            skip()
            if case .text(let text)? = pieces.first { return node(.pattern(text, flags: flags)) }
            return node(.pattern("", flags: flags))
        case .symbol(let pieces):
            skip()
            return node(.symbol(try parts(pieces)))
        case .words(let words, let areSymbols):
            skip()
            return node(.array(words.map { node(areSymbols ? .symbol([.text($0)]) : .string([.text($0)])) }))
        case .variable(let name):
            skip()
            return node(.variable(name))
        case .constant(let name):
            skip()
            let isCall = current.isPunctuation("(") && !current.hasSpaceBefore
            if isCall { return try completed(RubyNode.Call(receiver: nil, name: name), line) }
            // `Integer "1"` is rare; `Foo [1]` is not a call.
            if case .string = current.kind, current.hasSpaceBefore {
                return try completed(RubyNode.Call(receiver: nil, name: name), line)
            }
            return node(.constant(name, in: nil))
        case .name(let name):
            skip()
            let isCall = current.isPunctuation("(") && !current.hasSpaceBefore
            if variables.contains(name), !isCall { return node(.variable(name)) }
            return try completed(RubyNode.Call(receiver: nil, name: name), line)
        case .keyword(let keyword):
            return try nested { parser throws(Mistake) in try parser.keywordExpression(keyword) }
        case .punctuation(let mark): return try bracketed(mark, line)
        case .label, .newline, .endOfFile: throw mistake("a value is expected, not '\(word)'")
        }
    }

    private mutating func bracketed(_ mark: String, _ line: Int) throws(Mistake) -> RubyNode {
        switch mark {
        case "(":
            skip()
            let group = try nested { parser throws(Mistake) in
                var statements: [RubyNode] = []
                let head = parser.isInLoopHead
                parser.isInLoopHead = false
                defer { parser.isInLoopHead = head }
                parser.skipNewlines()
                while !parser.current.isPunctuation(")"), !parser.isAtEnd {
                    statements.append(try parser.statement())
                    parser.skipNewlines()
                }
                return statements
            }
            try expect(")")
            return group.count == 1 ? group[0] : RubyNode(line: line, kind: .group(group))
        case "[":
            skip()
            return RubyNode(line: line, kind: .array(try list(until: "]")))
        case "{":
            skip()
            return try table(line)
        case "->":
            skip()
            var function = RubyNode.Function()
            if take("(") {
                function.parameters = try parameters(until: ")")
                try expect(")")
            }
            guard let block = try block() else { throw mistake("a block is expected, not '\(word)'") }
            function.body = block.body
            return RubyNode(line: line, kind: .lambda(function))
        case "::":
            skip()
            return try primary()
        default: throw mistake("a value is expected, not '\(word)'")
        }
    }

    private mutating func table(_ line: Int) throws(Mistake) -> RubyNode {
        let items = try list(until: "}")
        if items.isEmpty { return RubyNode(line: line, kind: .hash([])) }
        guard items.count == 1, case .hash = items[0].kind else {
            throw Mistake(line: line, text: "a table of 'key => value' is expected between '{' and '}'")
        }
        return RubyNode(line: line, kind: items[0].kind)
    }

    /// The parts of a text, with the code in it parsed.
    private func parts(_ pieces: [RubyPiece]) throws(Mistake) -> [RubyNode.Part] {
        var result: [RubyNode.Part] = []
        for piece in pieces {
            switch piece {
            case .text(let text): result.append(.text(text))
            case .code(let tokens): result.append(.code(try code(tokens)))
            }
        }
        return result
    }
}
