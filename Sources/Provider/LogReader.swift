public import LinuxSystem
import SSH
public import SystemPackage

/// Reads a log that may be growing, as text fit for a terminal. A log that has started anew (`BoundedLog`) goes on where it was.
public final class LogReader {
    /// Of one look, in bytes.
    private static let limit: Int64 = 16 << 20

    private let file: OwnedDescriptor
    private let path: FilePath
    private var position: Int64 = 0

    public init(_ path: FilePath) throws(SystemError) {
        file = try OwnedDescriptor.open(path, LogTail.openFlags)
        self.path = path
    }

    /// What there is; the last 16 MiB of a longer log.
    /// - Parameter lines: Only the last so many; fewer than none is none.
    public func existing(lines: Int?) throws(SystemError) -> String {
        position = try file.status().size
        let bytes = LogTail.bytes(path, before: position, limit: Self.limit)
        let start = lines.map { Self.start(ofLast: max(0, $0), in: bytes) } ?? 0
        return GuestText.lines(bytes[start...])
    }

    /// Where the last `count` lines begin. The last one may lack its end.
    private static func start(ofLast count: Int, in bytes: [UInt8]) -> Int {
        var position = bytes.count
        var seen = 0
        while position > 0 {
            if bytes[position - 1] == 0x0a {
                guard seen < count else { break }
                seen += 1
            }
            position -= 1
        }
        return position
    }

    /// What was added since the last look.
    public func next() throws(SystemError) -> String {
        var bytes: [UInt8] = []
        let size = try file.status().size
        if size < position {
            // What it held, and more that came before it started anew, is in the older file, at the same places.
            bytes = LogTail.read(BoundedLog.older(path), from: position, limit: Self.limit)
            position = 0
        }
        let new = try LogTail.read(file, from: position, to: min(size, position + Self.limit))
        position += Int64(new.count)
        return GuestText.lines(bytes + new)
    }
}
