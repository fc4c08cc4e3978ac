/// Values: what a calculation begins with.
extension RubyParser {
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
                let before = parser.leavesDo
                parser.leavesDo = false
                defer { parser.leavesDo = before }
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
            let block = try leavingDo(false) { parser throws(Mistake) in try parser.block() }
            guard let block else { throw mistake("a block is expected, not '\(word)'") }
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
    func parts(_ pieces: [RubyPiece]) throws(Mistake) -> [RubyNode.Part] {
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
