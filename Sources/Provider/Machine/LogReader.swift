public import LinuxSystem
import Reporting
public import SystemPackage

/// Reads a log that may be growing, as text fit for a terminal. It keeps its place when the log starts over
/// (`BoundedLog`).
public final class LogReader {
    /// The most that one look reads, in bytes.
    private static let limit: Int64 = 16 << 20
    /// By so many of its first bytes a log is told from what it holds after it has started anew.
    private static let headLimit: Int64 = 4096
    /// Stands where lines are missing.
    static let gap = "[lines are missing: the log has grown faster than they could be shown]\n"

    private let file: OwnedDescriptor
    private let path: FilePath
    private var position: Int64 = 0
    /// The first bytes of what has been read of the file.
    private var head: [UInt8] = []
    /// The older file as it was when the log was known not to have started anew.
    private var older: Stamp?

    public init(_ path: FilePath) throws(SystemError) {
        file = try OwnedDescriptor.open(path, LogTail.openFlags)
        self.path = path
    }

    /// The log so far; the last 16 MiB of a longer one.
    /// - Parameter lines: How many of the last lines; nil: all. Negative numbers count as 0.
    public func existing(lines: Int?) throws(SystemError) -> String {
        var bytes: [UInt8] = []
        for _ in 0..<8 {
            older = Stamp(BoundedLog.older(path))
            position = try file.status().size
            head = try LogTail.read(file, from: 0, to: min(position, Self.headLimit))
            bytes = LogTail.bytes(path, before: position, limit: Self.limit)
            if Stamp(BoundedLog.older(path)) == older { break }
        }
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

    /// What was added since the last call.
    public func next() throws(SystemError) -> String {
        var pace = Pace(first: .milliseconds(1), growing: 2, most: .milliseconds(50))
        for _ in 0..<8 {
            if let text = try look() { return text }
            // It starts anew at this very moment.
            MonotonicClock.sleep(milliseconds: pace.nextMilliseconds())
        }
        return ""
    }

    /// - Returns: nil if the log has started anew meanwhile, so that its two files did not belong together.
    private func look() throws(SystemError) -> String? {
        let olderPath = BoundedLog.older(path)
        let stamp = Stamp(olderPath)
        let size = try file.status().size
        let first = try LogTail.read(file, from: 0, to: min(size, Int64(head.count)))
        // What is copied to the older file is no longer than the file itself until that is cut.
        let isAnew = size < position || first != head || (stamp != older && size < stamp?.size ?? 0)
        var bytes: [UInt8] = []
        // One that somebody else has cut has left nothing behind.
        if isAnew, let stamp, stamp != older {
            let known = LogTail.read(olderPath, from: 0, limit: Int64(head.count))
            // What it held, and more that came before it started anew, is in the older file, at the same places; unless
            // it has done so more than once.
            let isNext = known == head && position <= stamp.size
            bytes = isNext ? [] : Array(Self.gap.utf8)
            bytes += LogTail.read(olderPath, from: isNext ? position : 0, limit: Self.limit)
        }
        let start = isAnew ? 0 : position
        let new = try LogTail.read(file, from: start, to: min(size, start + Self.limit))
        // It may have been cut between two of these: then it begins otherwise by now.
        let firstNow = try LogTail.read(file, from: 0, to: min(try file.status().size, Int64(first.count)))
        guard firstNow == first, Stamp(olderPath) == stamp else { return nil }
        position = start + Int64(new.count)
        if isAnew {
            older = stamp
            head = []
        }
        if head.count < Self.headLimit {
            head = try LogTail.read(file, from: 0, to: min(position, Self.headLimit))
        }
        return GuestText.lines(bytes + new)
    }

    /// Changes with each change of a file. Its first bytes are part of it: a file system's clock may stand still for
    /// 10 ms, in which a log can start anew twice.
    private struct Stamp: Equatable {
        let size: Int64
        let modified: Int64
        let nanoseconds: Int64
        let head: [UInt8]

        /// nil if there is no such file.
        init?(_ path: FilePath) {
            guard let status = (try? FileSystem.status(path, followLinks: false)) ?? nil else { return nil }
            size = status.size
            modified = status.modified
            nanoseconds = Int64(status.modifiedNanoseconds)
            head = LogTail.read(path, from: 0, limit: 256)
        }
    }
}
