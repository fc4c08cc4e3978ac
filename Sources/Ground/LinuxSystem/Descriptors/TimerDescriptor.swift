import CLinux
import Glibc
import SystemPackage

/// A timerfd(2) on CLOCK_MONOTONIC: readable once its time has come.
public struct TimerDescriptor: ~Copyable, Sendable {
    public let descriptor: OwnedDescriptor

    public init() throws(SystemError) {
        let flags = CInt(TFD_CLOEXEC) | CInt(TFD_NONBLOCK)
        descriptor = OwnedDescriptor(
            owning: CInt(try checked(negativeErrno(Int(timerfd_create(CLOCK_MONOTONIC, flags))), "make a timer")))
    }

    /// Ends whatever was set before. nil sets nothing.
    /// - Parameter nanoseconds: From now on; less than 1 is as soon as possible.
    public func set(nanoseconds: Int64?) {
        var time = itimerspec()
        if let nanoseconds {
            // Zero would switch the timer off.
            let wait = max(1, nanoseconds)
            time.it_value = timespec(tv_sec: Int(wait / 1_000_000_000), tv_nsec: Int(wait % 1_000_000_000))
        }
        _ = unsafe timerfd_settime(descriptor.rawValue, 0, &time, nil)
    }

    /// Takes note of its having run out; it stays silent until it is set again.
    public func take() {
        var count: UInt64 = 0
        _ = unsafe read(descriptor.rawValue, &count, 8)
    }
}
