import CLinux
import Glibc

/// SIGINT, SIGTERM and SIGHUP as something to wait for beside other descriptors (signalfd(2)). For processes that limit
/// themselves: unlike ``Signals/request(_:notice:)`` it takes no thread, which would be outside of a limit that comes
/// later.
public struct SignalDescriptor: ~Copyable {
    private let descriptor: OwnedDescriptor

    /// Blocks the signals, as ``Signals/request(_:notice:)`` does; call it before any thread starts.
    public init() throws(SystemError) {
        var set = Signals.blockRequests()
        // The kernel's set has 64 signals. SFD_NONBLOCK, SFD_CLOEXEC.
        let result = unsafe withUnsafeMutablePointer(to: &set) {
            linux_syscall(Int(SYS_signalfd4), UInt(bitPattern: -1), UInt(bitPattern: $0), 8, 0o2004000, 0)
        }
        descriptor = OwnedDescriptor(owning: CInt(try checked(result, "wait for signals")))
    }

    /// Readable when a signal came.
    public var rawDescriptor: CInt { descriptor.rawValue }

    /// Takes what came. From then on the signals do what they do to any process: a second one ends it at once.
    public func take() {
        // struct signalfd_siginfo has 128 bytes; which of the three it was does not matter.
        _ = try? descriptor.read(upTo: 3 * 128)
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}
