/// Percent literals and patterns.
extension RubyLexer {
    private static let closings: [UInt8: UInt8] = [0x28: 0x29, 0x5b: 0x5d, 0x7b: 0x7d, 0x3c: 0x3e]

    /// `%w[a b]`, `%q(a)`, `%(a)`, `%r{a}`. Returns false for the operator.
    mutating func readPercent(_ spaceBefore: Bool) -> Bool {
        guard var kind = character(1) else { return false }
        var start = 2
        if !kind.isLetter {
            guard "([{<|!/".contains(kind) else { return false }
            kind = "Q"
            start = 1
        }
        guard "wWiIqQrsx".contains(kind), let opening = byte(start), !Self.isWord(opening), opening != 0x20,
            opening != 0x0a
        else { return false }
        let closing = Self.closings[opening] ?? opening
        let nested = closing == opening ? nil : opening
        let first = line
        if kind == "r" {
            readPattern(spaceBefore, closing: closing, opening: nested, skipping: start + 1)
            return true
        }
        position += start + 1
        let pieces = pieces(until: closing, opening: nested, isRaw: !"WQx".contains(kind))
        switch kind {
        case "w", "W", "i", "I":
            let text = pieces.reduce(into: "") { if case .text(let part) = $1 { $0 += part } }
            append(
                .words(
                    text.split(whereSeparator: \.isWhitespace).map(String.init), areSymbols: kind.lowercased() == "i"),
                spaceBefore, line: first)
        case "s": append(.symbol(pieces), spaceBefore, line: first)
        case "x": append(.program, spaceBefore, line: first)
        default: append(.string(pieces), spaceBefore, line: first)
        }
        return true
    }

    mutating func readPattern(_ spaceBefore: Bool, closing: UInt8, opening: UInt8?, skipping count: Int) {
        let first = line
        position += count
        var text: [UInt8] = []
        var level = 0
        while let next = byte(), next != closing || level > 0 {
            if next == opening { level += 1 }
            if next == closing { level -= 1 }
            if next == 0x0a { line += 1 }
            text.append(next)
            position += 1
            // An escape stays as it is: it is the pattern's own.
            if next == 0x5c, let escaped = byte() {
                if escaped == 0x0a { line += 1 }
                text.append(escaped)
                position += 1
            }
        }
        position += 1
        position = min(position, bytes.count)
        let flags = word()
        append(.pattern([.text(Self.cleaned(text))], flags: flags), spaceBefore, line: first)
    }
}
