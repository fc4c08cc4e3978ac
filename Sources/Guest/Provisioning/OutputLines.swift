import Reporting

/// Turns a stream of bytes into lines that are fit to show: secrets masked, escape sequences and control characters
/// dropped (what a guest prints may not command the user's terminal), over-long lines cut, damaged UTF-8 replaced.
public struct OutputLines {
    /// In bytes.
    static let limit = 16 << 10

    private let masker: Masker
    private var buffer: [UInt8] = []

    public init(_ masker: Masker) { self.masker = masker }

    /// The lines that are complete with these bytes.
    public mutating func add(_ bytes: some Sequence<UInt8>) -> [String] {
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
    public mutating func finish() -> String? { buffer.isEmpty ? nil : take(buffer.count) }

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
        return GuestText.line(masked)
    }
}
