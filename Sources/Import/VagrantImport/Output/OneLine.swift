import Reporting

/// Text of a foreign file that goes into a message or a comment: on one line, without control characters.
enum OneLine {
    static func text(_ text: String, limit: Int) -> String {
        let joined = text.utf8.map { $0 == 0x0a || $0 == 0x0d || $0 == 0x09 ? 0x20 : $0 }
        let line = GuestText.line(joined)
        return line.count > limit ? String(line.prefix(limit - 3)) + "..." : line
    }
}
