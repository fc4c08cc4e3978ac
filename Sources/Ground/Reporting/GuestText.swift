/// What a guest says, made fit to be shown: escape sequences and control characters dropped (it may not command the
/// user's terminal), damaged UTF-8 replaced.
public enum GuestText {
    /// Several lines.
    public static func lines(_ bytes: some Collection<UInt8>) -> String {
        bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map { line($0) }.joined(separator: "\n")
    }

    /// One line, with or without its line break.
    public static func line(_ bytes: some Collection<UInt8>) -> String {
        var line = Array(bytes)[...]
        if line.last == 0x0a { line = line.dropLast() }
        // A serial line of Linux ends with two.
        while line.last == 0x0d { line = line.dropLast() }
        // A progress display overwrites its line: the last state counts.
        if let last = line.lastIndex(of: 0x0d) { line = line[(last + 1)...] }
        var text = String.UnicodeScalarView()
        var escape = Escape.none
        for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
            switch (escape, scalar.value) {
            case (_, 0x1b): escape = .started
            case (.started, 0x5b), (.none, 0x9b): escape = .sequence
            // Commands with a text: OSC, such as a window title, DCS, SOS, PM and APC.
            case (.started, 0x5d), (.started, 0x50), (.started, 0x58), (.started, 0x5e), (.started, 0x5f),
                (.none, 0x9d), (.none, 0x90), (.none, 0x98), (.none, 0x9e), (.none, 0x9f):
                escape = .text
            // ESC and what stands between it and its last character, as in the choice of a character set.
            case (.started, 0x20...0x2f): break
            case (.started, _): escape = .none
            case (.sequence, 0x40...0x7e): escape = .none
            case (.sequence, _): break
            // It ends with BEL or ESC \.
            case (.text, 0x07), (.text, 0x9c): escape = .none
            case (.text, _): break
            case (.none, 0x09): text.append(scalar)
            case (.none, 0..<0x20), (.none, 0x7f...0x9f): break
            // These turn the direction of what follows, and lines around.
            case (.none, 0x202a...0x202e), (.none, 0x2066...0x2069), (.none, 0x2028...0x2029): break
            case (.none, _): text.append(scalar)
            }
        }
        return String(text)
    }

    private enum Escape { case none, started, sequence, text }
}
