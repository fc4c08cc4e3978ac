import LinuxSystem
import SystemPackage

/// The end of a log file, made fit for a terminal.
enum LogTail {
    /// The last `count` lines; empty if there is no such file. Reads at most 64 KiB.
    static func lines(_ path: FilePath, count: Int, from start: Int64 = 0) -> String {
        guard let file = try? OwnedDescriptor.open(path, [.readOnly, .noFollow, .nonBlocking]),
            let size = try? file.status().size
        else {
            return ""
        }
        let limit: Int64 = 64 << 10
        let offset = max(start, size - limit)
        guard size > offset else { return "" }
        var bytes = [UInt8](repeating: 0, count: Int(size - offset))
        let read = bytes.withUnsafeMutableBytes { buffer in (try? file.read(into: buffer, at: offset)) ?? 0 }
        return sanitized(String(decoding: bytes.prefix(read), as: UTF8.self))
            .split(separator: "\n").suffix(count).joined(separator: "\n")
    }

    /// Drops control characters and escape sequences: what a guest prints may not command the user's terminal.
    static func sanitized(_ text: String) -> String {
        var result = ""
        var inEscape = false
        for scalar in text.unicodeScalars {
            if inEscape {
                // A CSI sequence ends with a letter; anything else after ESC is one character.
                if (0x40...0x7e).contains(scalar.value), scalar != "[" { inEscape = false }
                continue
            }
            switch scalar {
            case "\u{1b}": inEscape = true
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7f || (0x80...0x9f).contains(scalar.value): break
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
