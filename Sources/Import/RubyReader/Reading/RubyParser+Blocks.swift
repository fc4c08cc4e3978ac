/// Statements one after the other, and how a statement that cannot be read ends.
extension RubyParser {
    /// Statements up to one of the keywords, or to a `}`. The keyword stays.
    mutating func statements(until ends: Set<String>, brace: Bool = false) -> [RubyNode] {
        var result: [RubyNode] = []
        let before = (leavesDo, links)
        leavesDo = false
        defer { (leavesDo, links) = before }
        while true {
            links = 0
            skipNewlines()
            if isAtEnd { return result }
            if case .keyword(let word) = current.kind, ends.contains(word) || word == "end" { return result }
            if brace, current.isPunctuation("}") { return result }
            let start = position
            do throws(Mistake) {
                result.append(try nested { parser throws(Mistake) in try parser.statement() })
                let isClosed =
                    isAtNewline || isAtEnd || current.isKeyword("end") || brace && current.isPunctuation("}")
                if case .keyword(let word) = current.kind, ends.contains(word) { continue }
                guard isClosed else { throw mistake("'\(word)' is not expected here") }
            } catch {
                tell(error.text, at: error.line)
                // Whatever it was, what it opens is skipped with it.
                if position == start { skip() }
                skipStatement(from: start, brace: brace)
            }
        }
    }

    /// Goes past the statement that could not be read, to the end of its line or of the block that it opens.
    private mutating func skipStatement(from start: Int, brace: Bool) {
        let failed = position
        position = start
        var open = 0
        var brackets = 0
        while !isAtEnd {
            switch current.kind {
            case .keyword(let word):
                let isModifier = position > start && !isNewlineBefore
                if ["do", "def", "class", "module", "begin", "case"].contains(word)
                    || ["if", "unless", "while", "until", "for"].contains(word) && !isModifier
                {
                    open += 1
                }
                if word == "end" {
                    if open == 0 { return }
                    open -= 1
                }
            case .punctuation(let word):
                if "([{".contains(word) { brackets += 1 }
                if ")]}".contains(word) {
                    if brace, brackets == 0, word == "}", position >= failed { return }
                    brackets = max(0, brackets - 1)
                }
            case .newline where open == 0 && position >= failed: return
            default: break
            }
            skip()
        }
    }

    private var isNewlineBefore: Bool {
        guard position > 0 else { return true }
        switch tokens[position - 1].kind {
        case .newline: return true
        case .punctuation(let word): return [";", "=", "(", ","].contains(word)
        default: return false
        }
    }

    /// A block up to its `end`, which is read. A file whose last `end` is missing is read all the same.
    mutating func body(until ends: Set<String> = []) -> [RubyNode] {
        let start = line
        let body = statements(until: ends.union(["rescue", "ensure", "else"]))
        if !ends.isEmpty, case .keyword(let word) = current.kind, ends.contains(word) { return body }
        let rest = skipRescue()
        if isAtEnd {
            tell("the 'end' of the block from line \(start) is missing")
        } else {
            _ = takeKeyword("end")
        }
        return body + rest
    }

    /// What is to be done when something fails is not looked at: here nothing is done that could fail.
    private mutating func skipRescue() -> [RubyNode] {
        var result: [RubyNode] = []
        while current.isKeyword("rescue") || current.isKeyword("ensure") || current.isKeyword("else") {
            let counts = !current.isKeyword("rescue")
            while !isAtNewline, !isAtEnd, !current.isKeyword("then") {
                skip()
                if counts { break }
            }
            _ = takeKeyword("then")
            let body = statements(until: ["rescue", "ensure", "else"])
            if counts { result += body }
        }
        return result
    }
}
