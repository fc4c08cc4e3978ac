/// What stands in quotes, in percent literals and in heredocs.
extension RubyLexer {
    private static let closings: [UInt8: UInt8] = [0x28: 0x29, 0x5b: 0x5d, 0x7b: 0x7d, 0x3c: 0x3e]

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

    private mutating func readEscape(into text: inout [UInt8], closing: UInt8?, isRaw: Bool) {
        guard let next = byte() else { return text.append(0x5c) }
        position += 1
        if next == 0x0a { line += 1 }
        if isRaw {
            if next != 0x5c && next != closing { text.append(0x5c) }
            return text.append(next)
        }
        switch next {
        case 0x6e: text.append(0x0a)
        case 0x74: text.append(0x09)
        case 0x72: text.append(0x0d)
        case 0x65: text.append(0x1b)
        case 0x73: text.append(0x20)
        case 0x30: text.append(0x00)
        case 0x61: text.append(0x07)
        case 0x62: text.append(0x08)
        case 0x0a: break
        case 0x78: text.append(UInt8(truncatingIfNeeded: number(digits: 2)))
        case 0x75:
            let isBraced = byte() == 0x7b
            if isBraced { position += 1 }
            let scalar = Unicode.Scalar(UInt32(number(digits: isBraced ? 6 : 4))) ?? "\u{fffd}"
            if isBraced, byte() == 0x7d { position += 1 }
            text += Array(String(Character(scalar)).utf8)
        default: text.append(next)
        }
    }

    private mutating func number(digits: Int) -> Int {
        var value = 0
        for _ in 0..<digits {
            guard let digit = character()?.hexDigitValue else { break }
            value = value * 16 + digit
            position += 1
        }
        return value
    }

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

    /// `<<TEXT`, `<<-TEXT`, `<<~TEXT`, with quotes too. The text begins on the next line.
    mutating func readHeredoc(_ spaceBefore: Bool) -> Bool {
        let first = line
        var place = position + 2
        let style = bytes.indices.contains(place) ? bytes[place] : 0
        let isIndented = style == 0x2d || style == 0x7e
        if isIndented { place += 1 }
        guard place < bytes.count else { return false }
        let quote: UInt8? = [0x22, 0x27].contains(bytes[place]) ? bytes[place] : nil
        if quote != nil { place += 1 }
        let nameStart = place
        while place < bytes.count,
            quote == nil ? Self.isWord(bytes[place]) : bytes[place] != quote && bytes[place] != 0x0a
        {
            place += 1
        }
        let name = bytes[nameStart..<place]
        guard !name.isEmpty, quote != nil || Self.startsWord(name.first) else { return false }
        // Without a mark or a quote, a small letter is more likely an item to add to a list.
        guard isIndented || quote != nil || (0x41...0x5a).contains(name.first ?? 0) else { return false }
        if quote != nil { place += 1 }
        position = min(place, bytes.count)
        let (body, bodyLine) = heredocBody(named: name, isIndented: isIndented)
        let text = style == 0x7e ? Self.dedented(body) : body
        var inner = RubyLexer(text, line: bodyLine, depth: depth)
        append(.string(inner.pieces(until: nil, opening: nil, isRaw: quote == 0x27)), spaceBefore, line: first)
        return true
    }

    private mutating func heredocBody(named name: ArraySlice<UInt8>, isIndented: Bool) -> ([UInt8], Int) {
        var start: Int
        var lineNumber: Int
        if let (position, line) = afterHeredocs {
            start = position
            lineNumber = line
        } else {
            start = (bytes[position...].firstIndex(of: 0x0a) ?? bytes.count - 1) + 1
            lineNumber = line + 1
        }
        let bodyStart = start
        let bodyLine = lineNumber
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0a) ?? bytes.count
            var content = bytes[start..<end]
            if content.last == 0x0d { content = content.dropLast() }
            if isIndented { content = content.drop { $0 == 0x20 || $0 == 0x09 } }
            if content.elementsEqual(name) {
                afterHeredocs = (min(end + 1, bytes.count), lineNumber + 1)
                return (Array(bytes[bodyStart..<start]), bodyLine)
            }
            start = end + 1
            lineNumber += 1
        }
        afterHeredocs = (bytes.count, lineNumber)
        return (Array(bytes[min(bodyStart, bytes.count)...]), bodyLine)
    }

    /// Without the indentation that all lines have.
    static func dedented(_ text: [UInt8]) -> [UInt8] {
        let lines = text.split(separator: 0x0a, omittingEmptySubsequences: false)
        func indentation(_ line: ArraySlice<UInt8>) -> Int { line.prefix { $0 == 0x20 || $0 == 0x09 }.count }
        let common = lines.filter { indentation($0) < $0.count }.map(indentation).min() ?? 0
        return Array(lines.map { $0.dropFirst(min(common, indentation($0))) }.joined(separator: [0x0a]))
    }
}
