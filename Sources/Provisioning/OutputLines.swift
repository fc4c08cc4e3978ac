/// Turns a stream of bytes into lines that are fit to be shown: secrets masked, escape sequences and control characters
/// dropped (what a guest prints may not command the user's terminal), over-long lines cut, damaged UTF-8 replaced.
struct OutputLines {
    /// In bytes.
    static let limit = 16 << 10

    private let masker: Masker
    private var buffer: [UInt8] = []

    init(_ masker: Masker) { self.masker = masker }

    /// The lines that are complete with these bytes.
    mutating func add(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == 0x0a {
                lines.append(take(buffer.count))
            } else {
                buffer.append(byte)
                // A secret that the cut goes through stays whole in what is kept.
                if buffer.count >= Self.limit + masker.overlap { lines.append(take(Self.limit)) }
            }
        }
        return lines
    }

    /// What came after the last line break.
    mutating func finish() -> String? { buffer.isEmpty ? nil : take(buffer.count) }

    private mutating func take(_ count: Int) -> String {
        let masked: [UInt8]
        if count == buffer.count {
            masked = masker.mask(buffer)
            buffer.removeAll(keepingCapacity: true)
        } else {
            // Masked as a whole first: what is kept no longer holds a secret that began before the cut.
            let all = masker.mask(buffer)
            masked = Array(all.prefix(count))
            buffer = Array(all.dropFirst(count))
        }
        return Self.printable(masked)
    }

    static func printable(_ bytes: [UInt8]) -> String {
        var line = bytes[...]
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
