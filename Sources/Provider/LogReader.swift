public import LinuxSystem
public import SystemPackage

/// Reads a log that may be growing, as text fit for a terminal.
public final class LogReader {
    private let file: OwnedDescriptor
    private var position: Int64 = 0

    public init(_ path: FilePath) throws(SystemError) {
        file = try OwnedDescriptor.open(path, [.readOnly, .noFollow, .nonBlocking])
    }

    /// What there is; the last 16 MiB of a longer log.
    /// - Parameter lines: Only the last so many.
    public func existing(lines: Int?) throws(SystemError) -> String {
        let size = try file.status().size
        position = max(0, size - 16 << 20)
        let text = try next()
        guard let lines else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false).suffix(lines + 1).joined(separator: "\n")
    }

    /// What was added since the last look. A log that was cut short is read from its start again.
    public func next() throws(SystemError) -> String {
        let size = try file.status().size
        if size < position { position = 0 }
        guard size > position else { return "" }
        var bytes = [UInt8](repeating: 0, count: Int(min(size - position, 16 << 20)))
        var failure: SystemError?
        let count = bytes.withUnsafeMutableBytes { buffer in
            do throws(SystemError) { return try file.read(into: buffer, at: position) } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        position += Int64(count)
        return LogTail.sanitized(String(decoding: bytes.prefix(count), as: UTF8.self))
    }
}
