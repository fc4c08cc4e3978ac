import CLinux
import Glibc
import SystemPackage

/// An eventfd(2): a counter that threads and the kernel (ioeventfd, irqfd) use to wake each other.
public struct EventDescriptor: ~Copyable, Sendable {
    public let descriptor: OwnedDescriptor

    /// - Parameter nonBlocking: ``take()`` returns 0 instead of waiting.
    public init(nonBlocking: Bool = true) throws(SystemError) {
        let flags = CInt(EFD_CLOEXEC) | (nonBlocking ? CInt(EFD_NONBLOCK) : 0)
        descriptor = OwnedDescriptor(
            owning: CInt(try checked(negativeErrno(Int(eventfd(0, flags))), "make an eventfd")))
    }

    /// Adds one. Safe in a signal handler.
    public func signal() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor.rawValue, &one, 8)
    }

    /// Reads and clears the counter.
    @discardableResult
    public func take() -> UInt64 {
        var count: UInt64 = 0
        let result = unsafe read(descriptor.rawValue, &count, 8)
        return result == 8 ? count : 0
    }
}
