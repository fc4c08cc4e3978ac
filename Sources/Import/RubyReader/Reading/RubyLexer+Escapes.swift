/// What a backslash begins in a text.
extension RubyLexer {
    /// What is after a backslash.
    mutating func readEscape(into text: inout [UInt8], closing: UInt8?, isRaw: Bool) {
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
        case 0x30...0x37:
            position -= 1
            text.append(UInt8(truncatingIfNeeded: number(digits: 3, base: 8)))
        case 0x61: text.append(0x07)
        case 0x66: text.append(0x0c)
        case 0x76: text.append(0x0b)
        case 0x62: text.append(0x08)
        case 0x0a: break
        case 0x78: text.append(UInt8(truncatingIfNeeded: number(digits: 2, base: 16)))
        case 0x75:
            let isBraced = byte() == 0x7b
            if isBraced { position += 1 }
            let scalar = Unicode.Scalar(UInt32(number(digits: isBraced ? 6 : 4, base: 16))) ?? "\u{fffd}"
            if isBraced, byte() == 0x7d { position += 1 }
            text += Array(String(Character(scalar)).utf8)
        default: text.append(next)
        }
    }

    private mutating func number(digits: Int, base: Int) -> Int {
        var value = 0
        for _ in 0..<digits {
            guard let digit = character()?.hexDigitValue, digit < base else { break }
            value = value * base + digit
            position += 1
        }
        return value
    }
}
