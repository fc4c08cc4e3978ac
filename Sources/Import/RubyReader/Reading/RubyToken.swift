/// A word of Ruby, with what stands in it.
struct RubyToken {
    enum Kind {
        case newline
        case endOfFile
        case integer(Int64)
        case decimal(Double)
        /// In quotes, or a heredoc.
        case string([RubyPiece])
        /// In backticks: a program to run, which nobody does here.
        case program
        case pattern([RubyPiece], flags: String)
        case symbol([RubyPiece])
        /// `%w[a b]`, or `%i[a b]`.
        case words([String], areSymbols: Bool)
        /// A variable or a method.
        case name(String)
        case constant(String)
        /// With its `@` or `$`.
        case variable(String)
        /// `key:` in a call or a table.
        case label([RubyPiece])
        case keyword(String)
        case punctuation(String)
    }

    var kind: Kind
    /// Counted from 1.
    var line: Int
    var hasSpaceBefore: Bool
    /// Whether a space or the end of the line is next.
    var hasSpaceAfter = false

    func isPunctuation(_ text: String) -> Bool { if case .punctuation(text) = kind { true } else { false } }
    func isKeyword(_ text: String) -> Bool { if case .keyword(text) = kind { true } else { false } }

    /// Whether a value may end with it, so that an operator may come next.
    var endsValue: Bool {
        switch kind {
        case .integer, .decimal, .string, .program, .pattern, .symbol, .words, .name, .constant, .variable: true
        case .punctuation(let text): [")", "]", "}"].contains(text)
        case .keyword(let text): ["end", "self", "nil", "true", "false", "__FILE__", "__dir__"].contains(text)
        default: false
        }
    }
}

/// A part of a text: as it is, or code whose value goes there.
enum RubyPiece {
    case text(String)
    case code([RubyToken])
}

enum RubyWords {
    static let keywords: Set<String> = [
        "alias", "and", "begin", "break", "case", "class", "def", "defined?", "do", "else", "elsif", "end", "ensure",
        "false", "for", "if", "in", "module", "next", "nil", "not", "or", "redo", "rescue", "retry", "return", "self",
        "super", "then", "true", "undef", "unless", "until", "when", "while", "yield", "__FILE__", "__dir__",
        "__LINE__",
    ]

    /// By their bytes as one number: looking through a list for each takes too long in a file of brackets.
    static let punctuation: [UInt32: String] = {
        let all = [
            "**=", "<=>", "===", "...", "<<=", ">>=", "&&=", "||=", "&.", "**", "==", "!=", ">=", "<=", "&&", "||",
            "=~", "!~", "..", "::", "->", "=>", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<", ">>", "+", "-",
            "*", "/", "%", "=", "<", ">", "!", "&", "|", "^", "~", "?", ":", ",", ".", ";", "(", ")", "[", "]", "{",
            "}",
        ]
        return Dictionary(uniqueKeysWithValues: all.map { ($0.utf8.reduce(0) { $0 << 8 | UInt32($1) }, $0) })
    }()
}
