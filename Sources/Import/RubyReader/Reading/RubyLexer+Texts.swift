/// What is in quotes, in percent literals and in heredocs.
extension RubyLexer {
    /// The parts of a text up to its end, which is read too.
    /// - Parameters:
    ///   - closing: nil: all the rest.
    ///   - opening: What makes another level, as in `%w[a [b] c]`.
    ///   - isRaw: Whether `#{}` and escapes are nothing special.
    mutating func pieces(until closing: UInt8?, opening: UInt8?, isRaw: Bool) -> [RubyPiece] {
        var pieces: [RubyPiece] = []
        var text: [UInt8] = []
        var level = 0
        func finished() -> [RubyPiece] { text.isEmpty ? pieces : pieces + [.text(Self.cleaned(text))] }
        while let next = byte() {
            if next == closing, level == 0 {
                position += 1
                return finished()
            }
            if next == opening { level += 1 }
            if next == closing { level -= 1 }
            if next == 0x5c {
                position += 1
                readEscape(into: &text, closing: closing, isRaw: isRaw)
            } else if !isRaw, next == 0x23, byte(1) == 0x7b, depth < RubyLimits.interpolation {
                if !text.isEmpty { pieces.append(.text(Self.cleaned(text))) }
                text = []
                position += 2
                var inner = RubyLexer(bytes, line: line, depth: depth + 1)
                inner.position = position
                pieces.append(.code(inner.read(untilBrace: true)))
                position = inner.position
                line = inner.line
            } else {
                if next == 0x0a { line += 1 }
                text.append(next)
                position += 1
            }
        }
        return finished()
    }

    /// Without the marks that stand for variables of the environment: no file may make one up.
    static func cleaned(_ text: [UInt8]) -> String {
        RubyPlaceholder.removed(from: String(decoding: text, as: UTF8.self))
    }
}
