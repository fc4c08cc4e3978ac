/// Makes expressions of words. What it does not understand it tells, and goes on with the next statement.
struct RubyParser {
    private let tokens: [RubyToken]
    private(set) var position = 0
    private(set) var remarks: [RubyRemark] = []
    private var nesting: Int
    /// Names that are variables, so that `a -1` and `a [1]` are no calls of them.
    var variables: Set<String> = []
    /// Whether a `do` belongs to a loop's head and not to a call in it.
    var isInLoopHead = false

    struct Mistake: Error {
        var line: Int
        var text: String
    }

    init(_ tokens: [RubyToken], nesting: Int = 0) {
        self.tokens = tokens
        self.nesting = nesting
    }

    /// All statements of a file.
    static func parse(_ bytes: [UInt8]) -> (statements: [RubyNode], remarks: [RubyRemark]) {
        var parser = RubyParser(RubyLexer.tokens(bytes))
        var statements: [RubyNode] = []
        while !parser.isAtEnd {
            statements += parser.statements(until: [])
            // An `end` too many: what is after it counts all the same.
            guard !parser.isAtEnd else { break }
            parser.tell("'\(parser.word)' closes nothing")
            parser.skip()
        }
        return (statements, parser.remarks)
    }

    // MARK: - Words

    private static var endOfFile: RubyToken { RubyToken(kind: .endOfFile, line: 0, hasSpaceBefore: false) }
    var current: RubyToken { tokens.indices.contains(position) ? tokens[position] : tokens.last ?? Self.endOfFile }
    var next: RubyToken { tokens.indices.contains(position + 1) ? tokens[position + 1] : tokens.last ?? Self.endOfFile }
    var isAtEnd: Bool { if case .endOfFile = current.kind { true } else { false } }
    var isAtNewline: Bool { if case .newline = current.kind { true } else { current.isPunctuation(";") } }
    var line: Int { current.line }

    /// What the current word is, for messages.
    var word: String {
        switch current.kind {
        case .newline: "the end of the line"
        case .endOfFile: "the end of the file"
        case .keyword(let text), .punctuation(let text), .name(let text), .constant(let text), .variable(let text): text
        case .integer(let value): "\(value)"
        default: "a value"
        }
    }

    mutating func skip() { if position < tokens.count - 1 { position += 1 } }
    mutating func skipNewlines() { while isAtNewline { skip() } }

    mutating func take(_ punctuation: String) -> Bool {
        guard current.isPunctuation(punctuation) else { return false }
        skip()
        return true
    }
    mutating func takeKeyword(_ keyword: String) -> Bool {
        guard current.isKeyword(keyword) else { return false }
        skip()
        return true
    }
    mutating func expect(_ punctuation: String) throws(Mistake) {
        guard take(punctuation) else { throw mistake("'\(punctuation)' is expected, not '\(word)'") }
    }

    func mistake(_ text: String) -> Mistake { Mistake(line: line, text: text) }
    mutating func tell(_ text: String) {
        guard remarks.count < RubyLimits.remarks else { return }
        remarks.append(RubyRemark(line: line, kind: .unread, text: text))
    }

    /// Whether the words after this newline continue the call before it: `\n  .each`.
    var continuesOnNextLine: Bool {
        var index = position
        while tokens.indices.contains(index), case .newline = tokens[index].kind { index += 1 }
        guard index > position, tokens.indices.contains(index) else { return false }
        return tokens[index].isPunctuation(".") || tokens[index].isPunctuation("&.")
    }

    mutating func nested<Result>(_ body: (inout RubyParser) throws(Mistake) -> Result) throws(Mistake) -> Result {
        guard nesting < RubyLimits.nesting else { throw mistake("nested too deep") }
        nesting += 1
        defer { nesting -= 1 }
        return try body(&self)
    }

    /// The statements in `#{}`, which are as deep as the text around them.
    func code(_ tokens: [RubyToken]) throws(Mistake) -> [RubyNode] {
        var inner = RubyParser(tokens, nesting: nesting)
        inner.variables = variables
        let statements = inner.statements(until: [])
        if let first = inner.remarks.first { throw Mistake(line: first.line, text: first.text) }
        return statements
    }

    // MARK: - Statements

    /// Statements up to one of the keywords, or to a `}`. The keyword stays.
    mutating func statements(until ends: Set<String>, brace: Bool = false) -> [RubyNode] {
        var result: [RubyNode] = []
        while true {
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
                if remarks.count < RubyLimits.remarks {
                    remarks.append(RubyRemark(line: error.line, kind: .unread, text: error.text))
                }
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
