/// Functions, modules, and parameters.
extension RubyParser {
    mutating func function(_ line: Int) throws(Mistake) -> RubyNode {
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

    mutating func module(_ line: Int) throws(Mistake) -> RubyNode {
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
