internal import JSON

/// Writes scalars as YAML that every reader understands alike.
public enum YAMLText {
    /// The text with every `$` doubled, so that nothing in it is taken for a variable.
    public static func escapingVariables(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            result.append(character)
            if character == "$" { result.append(character) }
        }
    }

    /// Plain where nothing can go wrong, in double quotes otherwise.
    public static func scalar(_ text: String) -> String {
        isSafePlain(text) ? text : JSONValue.string(text).compact
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private static func isSafePlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, isAlphanumeric(first) || first == 0x2f else { return false }
        let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        guard !reserved.contains(text.lowercased()) else { return false }
        // What some reader could take for a number, a date or a time of day.
        let digits = text.utf8.count { (0x30...0x39).contains($0) }
        let isNumberLike = text.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.:_eExXobOB".utf8.contains($0) }
        guard digits == 0 || !isNumberLike else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || "_-./@+".utf8.contains($0) }
    }

    /// The header and the lines of a literal block; nil if the text cannot stand in one.
    public static func block(_ text: String) -> (header: String, lines: [Substring])? {
        guard text.utf8.contains(0x0a), text.utf8.first != 0x20, text.utf8.first != 0x0a, !text.hasSuffix("\n\n") else {
            return nil
        }
        let isPrintable = text.unicodeScalars.allSatisfy { scalar in
            scalar == "\n" || scalar == "\t"
                || (scalar.value >= 0x20 && scalar.value < 0x7f)
                || (scalar.value >= 0xa0 && scalar.value < 0xd800) || (0xe000..<0xfeff).contains(scalar.value)
                || (0x10000...0x10ffff).contains(scalar.value)
        }
        guard isPrintable, !text.unicodeScalars.contains("\u{2028}"), !text.unicodeScalars.contains("\u{2029}") else {
            return nil
        }
        let body = text.hasSuffix("\n") ? text.dropLast() : text[...]
        let lines = body.split(separator: "\n", omittingEmptySubsequences: false)
        // A tab at the start of a line counts as indentation for some readers.
        guard !lines.contains(where: { $0.hasPrefix("\t") }) else { return nil }
        return (text.hasSuffix("\n") ? "|" : "|-", lines)
    }
}
