import Glibc
import LinuxSystem
import Reporting
import Synchronization
import SystemPackage

/// Where results go. It remembers what could not be written: a missing result is an error, whatever the command did. A
/// closed pipe is the reader's choice and not an error.
enum StandardOutput {
    private struct State {
        var hasWritten = false
        /// Why nothing more can be written.
        var ended: Errno?
    }
    private static let state = Mutex(State())

    /// Whether nobody gets what is written from now on: what prints without end stops here.
    static var isOver: Bool { state.withLock { $0.ended != nil } }

    static func write(_ text: String) { write(Array(text.utf8)) }

    static func write(_ bytes: [UInt8]) {
        guard !isOver else { return }
        let failure = writeAll(bytes, to: STDOUT_FILENO)
        state.withLock { state in
            state.hasWritten = true
            state.ended = failure
        }
    }

    /// Closes the output: some file systems tell only then that there was no room. Nothing is written afterwards.
    /// - Returns: Why what was written is not there.
    static func finish() -> SystemError? {
        let (hasWritten, failure) = state.withLock { ($0.hasWritten, $0.ended) }
        guard hasWritten else { return nil }
        if let failure { return failure == .brokenPipe ? nil : SystemError("write the result", nil, failure) }
        guard close(STDOUT_FILENO) != 0, errno != EINTR else { return nil }
        return SystemError("write the result", nil, Errno(rawValue: errno))
    }
}

/// Writes messages to standard error. If that fails, there is nowhere to report it.
func writeTalk(_ text: String) { _ = writeAll(Array(text.utf8), to: STDERR_FILENO) }
func writeTalk(_ bytes: [UInt8]) { _ = writeAll(bytes, to: STDERR_FILENO) }

/// Writes every byte, even if the process that started this one made the descriptor non-blocking.
/// - Returns: Why some bytes could not be written; nil if all were.
private func writeAll(_ bytes: [UInt8], to descriptor: CInt) -> Errno? {
    var bytes = bytes[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count < 0 else {
            bytes = bytes.dropFirst(count)
            continue
        }
        switch errno {
        case EINTR: continue
        case EAGAIN: _ = try? waitUntilReady(descriptor, for: .writable, milliseconds: 1000)
        default: return Errno(rawValue: errno)
        }
    }
    return nil
}
