/// Text as one word of a POSIX shell.
public enum ShellQuoting {
    public static func quote(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "+"), UInt8(ascii: "@"):
                    true
                default: false
                }
            }
        if isPlain { return text }
        // By scalars: a quote with an accent on it is one character of Swift's.
        return "'" + pieces(of: text, at: "'").joined(separator: "'\\''") + "'"
    }

    /// A word on one line.
    /// - Parameter variable: A variable of the shell that reads the word; it holds a line break.
    public static func quote(_ text: String, lineBreak variable: String) -> String {
        pieces(of: text, at: "\n").map { quote($0) }.joined(separator: "\"$\(variable)\"")
    }

    private static func pieces(of text: String, at separator: Unicode.Scalar) -> [String] {
        text.unicodeScalars.split(separator: separator, omittingEmptySubsequences: false).map { String($0) }
    }
}
