/// Numbers, names, symbols and punctuation.
extension RubyLexer {
    mutating func readNumber(_ spaceBefore: Bool) {
        var text = ""
        var isDecimal = false
        if hasPrefix("0x") || hasPrefix("0b") || hasPrefix("0o") {
            let radix = byte(1) == 0x78 ? 16 : byte(1) == 0x62 ? 2 : 8
            position += 2
            while let next = character(), Self.isWord(byte()) {
                if next != "_" { text.append(next) }
                position += 1
            }
            return append(.integer(Int64(text, radix: radix) ?? 0), spaceBefore)
        }
        while let next = byte() {
            let isPoint = next == 0x2e && !isDecimal && byte(1).map { (0x30...0x39).contains($0) } == true
            guard (0x30...0x39).contains(next) || next == 0x5f || isPoint else { break }
            if isPoint { isDecimal = true }
            if next != 0x5f, text.utf8.count < 32 { text.append(Character(Unicode.Scalar(next))) }
            position += 1
        }
        append(isDecimal ? .decimal(Double(text) ?? 0) : .integer(Int64(text) ?? .max), spaceBefore)
    }

    mutating func readVariable(_ spaceBefore: Bool) {
        var text = ""
        while let next = character(), next == "@" || next == "$" && text.isEmpty {
            text.append(next)
            position += 1
        }
        if text == "$", let next = byte(), !Self.isWord(next) {
            position += 1
            text.append(Character(Unicode.Scalar(next)))
        }
        append(.variable(text + word()), spaceBefore)
    }

    mutating func word() -> String {
        let start = position
        while Self.isWord(byte()) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    mutating func readWord(_ spaceBefore: Bool, _ previous: RubyToken?) {
        var text = word()
        if let mark = character(), mark == "?" || mark == "!", byte(1) != 0x3d || byte(2) == 0x3d,
            !(mark == "?" && byte(1) == 0x3a)
        {
            text.append(mark)
            position += 1
        }
        let isMember = previous?.isPunctuation(".") == true || previous?.isPunctuation("&.") == true
        // `key: value`, but not `condition ? name : other` and not `Module::name`.
        if byte() == 0x3a, byte(1) != 0x3a, !isMember, previous?.isPunctuation("?") != true {
            position += 1
            return append(.label([.text(text)]), spaceBefore)
        }
        if !isMember, previous?.isKeyword("def") != true, RubyWords.keywords.contains(text) {
            return append(.keyword(text), spaceBefore)
        }
        let isConstant = text.utf8.first.map { (0x41...0x5a).contains($0) } == true
        append(isConstant ? .constant(text) : .name(text), spaceBefore)
    }

    mutating func readPunctuation(_ spaceBefore: Bool) {
        for length in [3, 2, 1] where position + length <= bytes.count {
            let key = bytes[position..<position + length].reduce(0) { $0 << 8 | UInt32($1) }
            guard let found = RubyWords.punctuation[key] else { continue }
            if found == "?" { openChoices += 1 }
            position += length
            return append(.punctuation(found), spaceBefore)
        }
        position += 1
        append(.punctuation("\u{fffd}"), spaceBefore)
    }

    /// `:name`, `:"a name"`; not the `:` of a choice, nor `::`.
    mutating func readSymbol(_ spaceBefore: Bool, isValueExpected: Bool) -> Bool {
        guard byte(1) != 0x3a else { return false }
        if !isValueExpected, openChoices > 0 {
            openChoices -= 1
            return false
        }
        let start = line
        if byte(1) == 0x22 || byte(1) == 0x27, let quote = byte(1) {
            position += 2
            append(.symbol(pieces(until: quote, opening: nil, isRaw: quote == 0x27)), spaceBefore, line: start)
            return true
        }
        guard Self.startsWord(byte(1)) else { return false }
        position += 1
        var text = word()
        if let mark = character(), mark == "?" || mark == "!", byte(1) != 0x3d {
            text.append(mark)
            position += 1
        }
        append(.symbol([.text(text)]), spaceBefore)
        return true
    }

    mutating func readQuoted(_ spaceBefore: Bool, _ previous: RubyToken?) {
        let start = line
        guard let quote = byte() else { return }
        position += 1
        let pieces = pieces(until: quote, opening: nil, isRaw: quote == 0x27)
        // `"key": value` in a table or a call.
        let mayBeKey = [",", "{", "(", "|"].contains { previous?.isPunctuation($0) == true }
        if mayBeKey || previous.map({ if case .newline = $0.kind { true } else { false } }) == true,
            byte() == 0x3a, byte(1) != 0x3a
        {
            position += 1
            return append(.label(pieces), spaceBefore, line: start)
        }
        append(.string(pieces), spaceBefore, line: start)
    }
}
