/// Calls, with their arguments and blocks.
extension RubyParser {
    /// A value with the calls after it: `a.b(c)[d]::E`.
    mutating func postfix() throws(Mistake) -> RubyNode {
        var node = try primary()
        var isChain = false
        while true {
            if continuesOnNextLine { while case .newline = current.kind { skip() } }
            let line = line
            let isCall = [".", "&.", "::", "["].contains { current.isPunctuation($0) }
            guard isCall else { return node }
            if isChain { try link() }
            isChain = true
            if current.isPunctuation(".") || current.isPunctuation("&.") {
                let isSafe = current.isPunctuation("&.")
                skip()
                skipNewlines()
                node = try member(of: node, isSafe: isSafe)
            } else if current.isPunctuation("::") {
                skip()
                if case .constant(let name) = current.kind, !next.isPunctuation("(") {
                    skip()
                    node = RubyNode(line: line, kind: .constant(name, in: node))
                } else {
                    node = try member(of: node, isSafe: false)
                }
            } else {
                skip()
                let arguments = try list(until: "]")
                node = RubyNode(
                    line: line, kind: .call(RubyNode.Call(receiver: node, name: "[]", arguments: arguments)))
            }
        }
    }

    func methodName() -> String? {
        switch current.kind {
        case .name(let name), .constant(let name), .keyword(let name): name
        case .punctuation(let mark) where ["==", "<=>", "[]", "+", "-", "<<", "*", "/", "%"].contains(mark): mark
        default: nil
        }
    }

    private mutating func member(of receiver: RubyNode, isSafe: Bool) throws(Mistake) -> RubyNode {
        let line = line
        var call = RubyNode.Call(receiver: receiver, name: "", isSafe: isSafe)
        if current.isPunctuation("(") {
            call.name = "call"
        } else if case .label(let pieces) = current.kind, case .text(let name)? = pieces.first {
            // The first half of a choice: `condition ? a.b : c` without the space.
            throw mistake("'\(name):' is not expected here")
        } else {
            guard let name = methodName() else { throw mistake("a method's name is expected, not '\(word)'") }
            call.name = name
            skip()
        }
        return try completed(call, line)
    }

    /// Arguments and block of a call whose name has just been read.
    mutating func completed(_ call: RubyNode.Call, _ line: Int) throws(Mistake) -> RubyNode {
        var call = call
        if current.isPunctuation("("), !current.hasSpaceBefore {
            skip()
            call.arguments = try list(until: ")")
        } else if startsArgument {
            call.arguments = try bareArguments()
        }
        call.block = try block()
        return RubyNode(line: line, kind: .call(call))
    }
}
