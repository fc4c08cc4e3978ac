import LinuxSystem
import SystemPackage

/// The end of a log file, made fit for a terminal.
enum LogTail {
    /// A log stands where a process may write that is not trusted: links are not followed, and nobody waits for pipes.
    static let openFlags: OwnedDescriptor.OpenFlags = [.readOnly, .noFollow, .nonBlocking]

    /// The last `count` lines; empty if there is no such file. Reads at most 64 KiB.
    static func lines(_ path: FilePath, count: Int) -> String {
        guard let size = (try? FileSystem.status(path, followLinks: false))??.size else { return "" }
        return sanitized(String(decoding: bytes(path, before: size, limit: 64 << 10), as: UTF8.self))
            .split(separator: "\n").suffix(count).joined(separator: "\n")
    }

    /// The last `limit` bytes of a log before `end`; what the log has no more is taken from the file that it has left behind.
    static func bytes(_ path: FilePath, before end: Int64, limit: Int64) -> [UInt8] {
        let own = read(path, from: max(0, end - limit), limit: min(end, limit))
        let missing = limit - end
        let older = BoundedLog.older(path)
        guard missing > 0, let size = (try? FileSystem.status(older, followLinks: false))??.size else { return own }
        return read(older, from: max(0, size - missing), limit: missing) + own
    }

    /// What a file has from `start` on, at most `limit` bytes; nothing if there is no such file.
    static func read(_ path: FilePath, from start: Int64, limit: Int64) -> [UInt8] {
        guard let file = try? OwnedDescriptor.open(path, openFlags), let size = try? file.status().size else {
            return []
        }
        return (try? read(file, from: start, to: min(size, start + limit))) ?? []
    }

    static func read(_ file: borrowing OwnedDescriptor, from start: Int64, to end: Int64) throws(SystemError) -> [UInt8]
    {
        guard end > start else { return [] }
        var bytes = [UInt8](repeating: 0, count: Int(end - start))
        var failure: SystemError?
        let count = bytes.withUnsafeMutableBytes { buffer in
            do throws(SystemError) { return try file.read(into: buffer, at: start) } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return Array(bytes.prefix(count))
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
