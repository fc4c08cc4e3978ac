import CLinux
import Glibc

/// What this process does about signals that a terminal or a supervisor sends.
public enum Signals {
    /// Makes SIGINT, SIGTERM and SIGHUP request `cancellation`; a second one ends the process at once with status 130.
    /// While something is let end, the second one requests ``Cancellation/insistence``, and a third ends the process.
    ///
    /// Call it before any other thread starts: the signals are blocked in all of them and taken by a thread of their
    /// own, so that no code runs in a signal handler. A SIGHUP that is ignored stays so: nohup(1). Writes to closed
    /// sockets return `EPIPE` instead of ending the process.
    /// - Parameter notice: Called at each signal that does not end the process, on that thread.
    public static func request(
        _ cancellation: Cancellation, notice: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let waited = blockRequests()
        let thread = try Thread(name: "signals", stackSize: 256 << 10) {
            var set = waited
            var count = 0
            while true {
                var received: CInt = 0
                guard unsafe sigwait(&set, &received) == 0 else { continue }
                count += 1
                if count > 1 {
                    guard let insistence = cancellation.insistence, !insistence.isRequested,
                        !cancellation.letsEnd.isEmpty
                    else { _exit(130) }
                    insistence.request()
                } else {
                    cancellation.request()
                }
                notice()
            }
        }
        _ = consume thread  // Never joined: it lives as long as the process.
    }

    /// Blocks SIGINT, SIGTERM and SIGHUP in the calling thread and those that it starts from now on. Writes to closed
    /// sockets, and past the largest size of a file (RLIMIT_FSIZE), return an error instead of ending the process.
    /// - Returns: The three; without SIGHUP where that is ignored.
    static func blockRequests() -> sigset_t {
        ignoreWriteSignals()
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in [SIGINT, SIGTERM] { unsafe sigaddset(&set, signal) }
        // A signal that is blocked arrives although it is ignored.
        if linux_ignores_signal(SIGHUP) == 0 { unsafe sigaddset(&set, SIGHUP) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        return set
    }

    /// Makes writes that nobody takes an error (`EPIPE`, `EFBIG`), not the process's end.
    public static func ignoreWriteSignals() {
        ignore(SIGPIPE)
        ignore(SIGXFSZ)
    }

    public static func ignore(_ number: CInt) { linux_ignore_signal(number) }
}

/// Sends a signal to a process that need not be a child. A process that is gone is no error.
public func sendSignal(_ number: Int32, to process: Int32) {
    guard process > 1 else { return }
    _ = kill(process, number)
}
