/// Cuts a Ruby file into words. It never fails: what it does not know becomes a word that the parser refuses.
struct RubyLexer {
    let bytes: [UInt8]
    var position = 0
    var line = 1
    /// How deep in interpolations.
    let depth: Int
    /// Where the text of this line's heredocs ends, and the line there.
    var afterHeredocs: (position: Int, line: Int)?
    private var tokens: [RubyToken] = []
    /// Of `?` that wait for their `:`.
    var openChoices = 0

    init(_ bytes: [UInt8], line: Int = 1, depth: Int = 0) {
        self.bytes = bytes
        self.line = line
        self.depth = depth
    }

    static func tokens(_ bytes: [UInt8]) -> [RubyToken] {
        var lexer = RubyLexer(bytes)
        // Editors of Windows mark UTF-8 with it.
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { lexer.position = 3 }
        return lexer.read(untilBrace: false)
    }

    func byte(_ offset: Int = 0) -> UInt8? {
        bytes.indices.contains(position + offset) ? bytes[position + offset] : nil
    }
    func character(_ offset: Int = 0) -> Character? { byte(offset).map { Character(Unicode.Scalar($0)) } }
    func hasPrefix(_ text: String) -> Bool { bytes[position...].starts(with: text.utf8) }
    static func isWord(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return (0x30...0x39).contains(byte) || startsWord(byte)
    }
    static func startsWord(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f || byte >= 0x80
    }

    /// Reads on to the end, or past the `}` that closes an interpolation.
    mutating func read(untilBrace: Bool) -> [RubyToken] {
        var braces = 0
        while let next = byte() {
            let spaceBefore = skipSpace()
            guard let current = byte() else { break }
            if !tokens.isEmpty { tokens[tokens.count - 1].hasSpaceAfter = spaceBefore || current == 0x0a }
            if untilBrace, current == 0x7d, braces == 0 {
                position += 1
                break
            }
            if current == 0x7b { braces += 1 }
            if current == 0x7d { braces -= 1 }
            let before = position
            let isStartOfLine = before == 0 || bytes[before - 1] == 0x0a
            if isStartOfLine, hasPrefix("__END__"), !Self.isWord(byte(7)) { break }
            readToken(current, spaceBefore)
            // Whatever happens, it ends.
            if position == before { position += 1 }
            _ = next
        }
        append(.newline, false)
        append(.endOfFile, false)
        return tokens
    }

    mutating func append(_ kind: RubyToken.Kind, _ spaceBefore: Bool, line: Int? = nil) {
        tokens.append(RubyToken(kind: kind, line: line ?? self.line, hasSpaceBefore: spaceBefore))
    }

    private mutating func skipSpace() -> Bool {
        let start = position
        while let next = byte() {
            if next == 0x20 || next == 0x09 || next == 0x0d {
                position += 1
            } else if next == 0x5c, byte(1) == 0x0a || byte(1) == 0x0d && byte(2) == 0x0a {
                position += byte(1) == 0x0a ? 2 : 3
                line += 1
            } else if next == 0x23 {
                while let other = byte(), other != 0x0a { position += other == 0x0a ? 0 : 1 }
            } else if next == 0x3d, hasPrefix("=begin"), position == 0 || bytes[position - 1] == 0x0a {
                skipComment()
            } else {
                break
            }
        }
        return position > start
    }

    /// From `=begin` to `=end`.
    private mutating func skipComment() {
        while position < bytes.count {
            let isEnd = hasPrefix("=end")
            while let next = byte(), next != 0x0a { position += next == 0x0a ? 0 : 1 }
            if isEnd { return }
            position += 1
            line += 1
        }
    }

    private mutating func readToken(_ first: UInt8, _ spaceBefore: Bool) {
        let start = line
        let previous = tokens.last
        let isValueExpected = previous?.endsValue != true
        // After a name, a space before and none after make it the first argument: `puts -1`, `puts %w[a]`.
        var mayBeArgument = false
        if let previous, case .name = previous.kind, spaceBefore {
            mayBeArgument = byte(1) != 0x20 && byte(1) != 0x3d && byte(1) != 0x0a
        }
        let startsValue = isValueExpected || mayBeArgument
        switch first {
        case 0x0a: readNewline()
        case 0x30...0x39: readNumber(spaceBefore)
        case 0x22: readQuoted(spaceBefore, previous)
        case 0x27: readQuoted(spaceBefore, previous)
        case 0x60:
            position += 1
            _ = pieces(until: 0x60, opening: nil, isRaw: false)
            append(.program, spaceBefore, line: start)
        case 0x40, 0x24: readVariable(spaceBefore)
        case 0x3c where startsValue && hasPrefix("<<") && readHeredoc(spaceBefore): break
        case 0x2f where startsValue: readPattern(spaceBefore, closing: 0x2f, opening: nil, skipping: 1)
        case 0x25 where startsValue && readPercent(spaceBefore): break
        case 0x3a where readSymbol(spaceBefore, isValueExpected: isValueExpected): break
        case 0x3f where isValueExpected && Self.isWord(byte(1)) && !Self.isWord(byte(2)):
            append(.string([.text(String(decoding: [bytes[position + 1]], as: UTF8.self))]), spaceBefore)
            position += 2
        default:
            if Self.startsWord(first) { readWord(spaceBefore, previous) } else { readPunctuation(spaceBefore) }
        }
    }

    private mutating func readNewline() {
        append(.newline, false)
        position += 1
        line += 1
        if let (position, line) = afterHeredocs {
            self.position = position
            self.line = line
            afterHeredocs = nil
        }
    }
}
