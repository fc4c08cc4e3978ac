/// Makes expressions of words. What it does not understand it tells, and goes on with the next statement.
struct RubyParser {
    let tokens: [RubyToken]
    var position = 0
    private(set) var remarks: [RubyRemark] = []
    private var nesting: Int
    /// Names that are variables, so that `a -1` and `a [1]` are no calls of them.
    var variables: Set<String> = []
    /// Whether a `do` belongs to what is around: to a loop, or to the call whose arguments have no parentheses.
    var leavesDo = false
    /// Of this statement; ``RubyLimits/links`` has the bound.
    var links = 0

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
    mutating func tell(_ text: String, at line: Int? = nil) {
        guard remarks.count < RubyLimits.remarks else { return }
        remarks.append(RubyRemark(line: line ?? self.line, kind: .unread, text: text))
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

    /// Counts an operator or a call that continues a chain: its tree is as deep as the chain is long.
    mutating func link() throws(Mistake) {
        links += 1
        guard links <= RubyLimits.links else { throw mistake("the line goes on for too long") }
    }

    /// Reads something inside of which a `do` belongs to what is around, or does not.
    mutating func leavingDo<Result>(
        _ leaves: Bool, _ body: (inout RubyParser) throws(Mistake) -> Result
    ) throws(Mistake) -> Result {
        let before = leavesDo
        leavesDo = leaves
        defer { leavesDo = before }
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
}
