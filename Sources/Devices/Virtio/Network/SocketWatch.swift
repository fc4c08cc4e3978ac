import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// An epoll set that a device's thread watches in place of a socket, so that the socket can be replaced.
struct SocketWatch: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    init() throws(SystemError) {
        let raw = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard raw >= 0 else { throw SystemError("make an epoll set", nil, Errno(rawValue: Glibc.errno)) }
        descriptor = OwnedDescriptor(owning: raw)
    }

    /// Readable while a socket has become ready since the last ``drain()``.
    var rawDescriptor: CInt { descriptor.rawValue }

    /// Watches a socket for each time that it becomes ready. It leaves the set by itself when it is closed.
    /// - Returns: Whether the kernel agreed.
    @discardableResult
    func watch(_ socket: CInt, for interest: Poller.Interest) -> Bool {
        var event = unsafe epoll_event(
            events: interest.union(.edgeTriggered).rawValue, data: epoll_data_t(u64: 0))
        return unsafe epoll_ctl(descriptor.rawValue, EPOLL_CTL_ADD, socket, &event) == 0
    }

    /// Takes notice of what became ready.
    func drain() {
        var event = unsafe epoll_event()
        _ = unsafe epoll_wait(descriptor.rawValue, &event, 1, 0)
    }
}
