/// Heredocs.
extension RubyLexer {
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
