import LinuxSystem
import Reporting
import SystemPackage

/// The end of a log file, made fit for a terminal.
enum LogTail {
    /// A log stands where a process may write that is not trusted: links are not followed, and nobody waits for pipes.
    static let openFlags: OwnedDescriptor.OpenFlags = [.readOnly, .noFollow, .nonBlocking]

    /// The last `count` lines; empty if there is no such file. Reads at most 64 KiB.
    /// - Parameter start: What was there before this place, in bytes, does not count.
    static func lines(_ path: FilePath, count: Int, from start: Int64 = 0) -> String {
        guard let size = (try? FileSystem.status(path, followLinks: false))??.size else { return "" }
        // A log that has started anew since is all new.
        let new = start > 0 && size >= start ? size - start : 64 << 10
        return GuestText.lines(bytes(path, before: size, limit: min(new, 64 << 10)))
            .split(separator: "\n").suffix(count).joined(separator: "\n")
    }

    /// The last `limit` bytes of a log before `end`; what the log has no more is taken from the file that it has left
    /// behind.
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
}
