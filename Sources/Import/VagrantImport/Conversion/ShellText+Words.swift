import RubyReader

/// Words of a command line.
extension ShellText {
    static func isVariable(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first), name.utf8.count <= 128 else { return false }
        return name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x5f
        }
    }

    /// Arguments in one text, as a shell would part them: at spaces that are not in quotes. A variable is in one word.
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        var current: String?
        var quote: Character?
        var isEscaped = false
        var isVariable = false
        for character in text {
            if RubyPlaceholder.opens(character) { isVariable = true }
            if isVariable {
                current = (current ?? "") + String(character)
                isVariable = !RubyPlaceholder.closes(character)
            } else if isEscaped {
                current = (current ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { current = (current ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                current = current ?? ""
            } else if character.isWhitespace {
                if let word = current { words.append(word) }
                current = nil
            } else {
                current = (current ?? "") + String(character)
            }
        }
        return words + (current.map { [$0] } ?? [])
    }

    /// A word that a shell takes as it is.
    static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || "_./:=+,@%-".utf8.contains(byte)
            }
        if isPlain { return text }
        // What becomes a variable of the shell is none in single quotes.
        if RubyPlaceholder.isIn(text) {
            let escaped = text.map { "\\\"$`".contains($0) ? "\\\($0)" : String($0) }
            return "\"\(escaped.joined())\""
        }
        return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
