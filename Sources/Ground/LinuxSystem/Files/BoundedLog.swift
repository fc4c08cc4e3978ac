import CLinux
import Glibc
public import SystemPackage

/// A log that cannot fill the disk, whoever provokes its lines. When the file would become longer than its limit, what
/// it holds goes to `PATH.old`, in place of what was there, and the file starts anew.
///
/// Both files stay what they are and are open from the start. So a process may be confined by then, and others may
/// append to the same file meanwhile and need not know.
public final class BoundedLog {
    /// The limit for what a program reports about itself, in bytes.
    public static let reportLimit: Int64 = 1 << 20
    /// The limit for what a guest writes to its console, in bytes.
    public static let consoleLimit: Int64 = 16 << 20

    private let file: OwnedDescriptor
    private let older: OwnedDescriptor
    private let limit: Int64

    /// Where the lines before those of `path` are.
    public static func older(_ path: FilePath) -> FilePath { FilePath("\(path).old") }

    /// Opens the log, or makes it, as `OwnedDescriptor.openLog(_:)` does.
    public init(_ path: FilePath, limit: Int64) throws(SystemError) {
        file = try OwnedDescriptor.openLog(path)
        older = try OwnedDescriptor.openLog(Self.older(path))
        self.limit = limit
        makeRoom(for: 0)
    }

    /// For a child process to append to.
    public var rawDescriptor: CInt { file.rawValue }

    /// Appends. A log that cannot be written is no reason to stop anything: what does not fit on the disk is lost.
    public func write(_ bytes: [UInt8]) {
        let bytes = Int64(bytes.count) > limit ? Array(bytes.suffix(Int(limit))) : bytes
        guard makeRoom(for: Int64(bytes.count)) else { return }
        try? file.writeAll(bytes)
    }

    /// Moves what the file holds out of the way where `count` more bytes would be too much.
    /// - Returns: Whether there is room.
    @discardableResult
    private func makeRoom(for count: Int64) -> Bool {
        // Asked each time, since others may have written.
        guard let size = try? file.status().size else { return false }
        guard size > 0, size + count > limit else { return true }
        // Nothing is cut before its copy is there, unless the disk is too full for one: new lines matter more than old
        // ones.
        try? keepOlder(size)
        do throws(SystemError) { try file.truncate(to: 0) } catch { return false }
        return true
    }

    private func keepOlder(_ size: Int64) throws(SystemError) {
        try older.truncate(to: 0)
        var position = max(0, size - limit)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while position < size {
            var failure: SystemError?
            let count = unsafe buffer.withUnsafeMutableBytes { space in
                do throws(SystemError) { return try unsafe file.read(into: space, at: position) } catch {
                    failure = error
                    return 0
                }
            }
            if let failure { throw failure }
            guard count > 0 else { return }
            try older.writeAll(Array(buffer.prefix(count)))
            position += Int64(count)
        }
    }
}
