import CLinux
import Glibc
import SystemPackage

/// Copies of this process that do one thing beside it (fork(2)). Only before any thread is started: in the copy there
/// is only the thread that made it, and what others held locked stays locked.
public enum ForkedProcess {
    /// Runs `body` in a copy, which then ends with what it returns as its status.
    /// - Parameter kept: The only descriptors, besides standard error, that the copy does not close; they keep their
    ///   numbers.
    /// - Returns: The copy's process number.
    public static func start(keeping kept: [CInt], _ body: () -> CInt) throws(SystemError) -> CInt {
        guard try FileSystem.list("/proc/self/task").count == 1 else {
            throw SystemError("copy a process that has threads already", nil, .resourceBusy)
        }
        let identifier = CInt(try checked(linux_fork(), "copy this process"))
        if identifier != 0 { return identifier }
        // The liveness lock above all must not outlive the original.
        guard let names = try? FileSystem.list("/proc/self/fd") else { _exit(1) }
        for descriptor in names.compactMap({ CInt($0) }) where descriptor != 2 && !kept.contains(descriptor) {
            close(descriptor)
        }
        _exit(body())
    }

    /// Waits for the copy's end, and ends it itself once the time is over.
    /// - Parameters:
    ///   - milliseconds: How long it may take.
    ///   - work: What it does, as a word for people after `cannot`.
    /// - Returns: Whether it ended with status 0.
    /// - Throws: `ETIMEDOUT` if it did not end in time.
    public static func wait(for identifier: CInt, milliseconds: Int64, to work: String) throws(SystemError) -> Bool {
        let isOver = try ProcessWatch(identifier)?.wait(milliseconds: milliseconds) ?? true
        if !isOver { kill(identifier, SIGKILL) }
        var status: CInt = 0
        _ = try retrying("wait for a process") { negativeErrno(Int(unsafe waitpid(identifier, &status, 0))) }
        guard isOver else { throw SystemError(work, nil, .timedOut) }
        return linux_exit_signal(status) == 0 && linux_exit_status(status) == 0
    }
}
