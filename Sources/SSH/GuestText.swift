/// What a guest says, made fit to be shown: escape sequences and control characters dropped (it may not command the user's
/// terminal), damaged UTF-8 replaced.
public enum GuestText {
    /// Several lines.
    public static func lines(_ bytes: some Collection<UInt8>) -> String {
        bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map { line($0) }.joined(separator: "\n")
    }

    /// One line, with or without its line break.
    public static func line(_ bytes: some Collection<UInt8>) -> String {
        var line = Array(bytes)[...]
        if line.last == 0x0a { line = line.dropLast() }
        if line.last == 0x0d { line = line.dropLast() }
        // A progress display overwrites its line: the last state counts.
        if let last = line.lastIndex(of: 0x0d) { line = line[(last + 1)...] }
        var text = String.UnicodeScalarView()
        var escape = Escape.none
        for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
            switch (escape, scalar.value) {
            case (_, 0x1b): escape = .started
            case (.started, 0x5b): escape = .sequence
            case (.started, 0x5d): escape = .text
            case (.started, _): escape = .none
            case (.sequence, 0x40...0x7e): escape = .none
            case (.sequence, _): break
            // An operating system command, such as a window title, ends with BEL or ESC \.
            case (.text, 0x07): escape = .none
            case (.text, _): break
            case (.none, 0x09): text.append(scalar)
            case (.none, 0..<0x20), (.none, 0x7f...0x9f): break
            case (.none, _): text.append(scalar)
            }
        }
        return String(text)
    }

    private enum Escape { case none, started, sequence, text }
}
