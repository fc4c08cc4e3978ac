import CLinux
import Glibc
import SystemPackage

/// Waits for several descriptors (epoll(7), level-triggered). Used by one thread.
public struct Poller: ~Copyable {
    public struct Interest: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let readable = Self(rawValue: EPOLLIN.rawValue)
        public static let writable = Self(rawValue: EPOLLOUT.rawValue)
        /// Reported whether asked for or not.
        public static let hangUp = Self(rawValue: EPOLLHUP.rawValue)
        public static let failed = Self(rawValue: EPOLLERR.rawValue)
    }

    public struct Readiness: Sendable {
        /// What was given to ``add(_:_:token:)``.
        public let token: UInt64
        public let interest: Interest
    }

    private let descriptor: OwnedDescriptor

    public init() throws(SystemError) {
        descriptor = OwnedDescriptor(
            owning: CInt(try checked(negativeErrno(Int(epoll_create1(CInt(EPOLL_CLOEXEC)))), "make an epoll set")))
    }

    public func add(_ raw: CInt, _ interest: Interest, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_ADD, raw, interest, token)
    }
    public func modify(_ raw: CInt, _ interest: Interest, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_MOD, raw, interest, token)
    }
    /// Stops watching. Call it before the descriptor is closed.
    public func remove(_ raw: CInt) { _ = epoll_ctl(descriptor.rawValue, EPOLL_CTL_DEL, raw, nil) }

    private func control(_ operation: CInt, _ raw: CInt, _ interest: Interest, _ token: UInt64) throws(SystemError) {
        var event = unsafe epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token))
        _ = try checked(
            negativeErrno(Int(unsafe epoll_ctl(descriptor.rawValue, operation, raw, &event))), "watch a descriptor")
    }

    /// Waits until something is ready or the time is over.
    /// - Parameter milliseconds: -1 waits without limit.
    /// - Returns: What is ready; empty after a time-out or a signal.
    public func wait(milliseconds: Int32 = -1) throws(SystemError) -> [Readiness] {
        let capacity = 32
        return unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: capacity) { events in
            // Whether the parameter is optional depends on the version of glibc.
            guard let first = events.baseAddress else { return [] }
            let count = unsafe epoll_wait(descriptor.rawValue, first, CInt(capacity), milliseconds)
            guard count > 0 else { return [] }
            return (0..<Int(count)).map { index in
                let event = unsafe events[index]
                return unsafe Readiness(token: event.data.u64, interest: Interest(rawValue: event.events))
            }
        }
    }
}

/// Waits for one descriptor with poll(2).
/// - Returns: Whether it became ready (or failed, which the next read or write will say) before the time was over.
public func waitUntilReady(
    _ raw: CInt, for interest: Poller.Interest, milliseconds: Int32, cancellation: Cancellation? = nil
) throws(SystemError) -> Bool {
    var events: Int16 = 0
    if interest.contains(.readable) { events |= Int16(POLLIN) }
    if interest.contains(.writable) { events |= Int16(POLLOUT) }
    let cancelled = cancellation?.rawDescriptor ?? -1
    var set = (pollfd(fd: raw, events: events, revents: 0), pollfd(fd: cancelled, events: Int16(POLLIN), revents: 0))
    let deadline = milliseconds < 0 ? nil : MonotonicClock.now.advanced(byMilliseconds: Int64(milliseconds))
    while true {
        let left = deadline.map { Int32(clamping: max(0, $0.milliseconds(since: .now))) } ?? -1
        let result = unsafe withUnsafeMutablePointer(to: &set) {
            unsafe $0.withMemoryRebound(to: pollfd.self, capacity: 2) { unsafe negativeErrno(Int(poll($0, 2, left))) }
        }
        if result == -Int(EINTR) { continue }
        _ = try checked(result, "wait")
        return set.0.revents != 0
    }
}
