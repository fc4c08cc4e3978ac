import Glibc
import LinuxSystem
import SystemPackage

/// Connections that have been accepted and not yet been greeted, oldest first.
struct ConnectionAttempts {
    private struct Attempt {
        let connection: Connection
        let started: MonotonicClock
    }
    private final class Connection {
        private var descriptor: OwnedDescriptor?
        let rawDescriptor: CInt
        init(_ descriptor: consuming OwnedDescriptor) {
            rawDescriptor = descriptor.rawValue
            self.descriptor = consume descriptor
        }
        func take() -> OwnedDescriptor? { descriptor.take() }
    }

    private let options: SSHSession.Options
    private let interval: Int64
    private let silence: Int64
    private var waiting: [Attempt] = []
    private var nextTry = MonotonicClock.now
    /// After a refusal, in milliseconds; grows, since a guest that is far from ready stays so for a while.
    private var refusalPause: Int64 = 20

    init(_ options: SSHSession.Options, interval: Int64, silence: Int64) {
        self.options = options
        self.interval = interval
        self.silence = silence
    }

    /// - Returns: A connection on which something has arrived; nil at `deadline`.
    mutating func next(
        _ deadline: MonotonicClock, connect: () throws(SSHError) -> OwnedDescriptor, failed: (SSHError) -> Void,
        accepted: () -> Void
    ) throws(SSHError) -> OwnedDescriptor? {
        while true {
            let now = MonotonicClock.now
            if now >= deadline { return nil }
            let oldest = now.nanoseconds - silence * 1_000_000
            if let first = waiting.first, first.started.nanoseconds <= oldest {
                waiting.removeFirst()
                failed(.timedOut(.banner, milliseconds: silence))
            }
            if now >= nextTry { try start(connect, failed, accepted) }
            if let index = try wait(until: min(deadline, nextTry)),
                let descriptor = waiting.remove(at: index).connection.take()
            {
                var byte: UInt8 = 0
                let count = recv(descriptor.rawValue, &byte, 1, CInt(MSG_PEEK | MSG_DONTWAIT))
                if count > 0 {
                    refusalPause = 20
                    return descriptor
                }
                // A forwarder that found nobody behind it hangs up.
                failed(count == 0 ? .closed(.banner) : .reset(.banner))
                backOff()
            }
        }
    }

    private mutating func start(
        _ connect: () throws(SSHError) -> OwnedDescriptor, _ failed: (SSHError) -> Void, _ accepted: () -> Void
    ) throws(SSHError) {
        let begin = MonotonicClock.now
        do {
            let descriptor = try connect()
            waiting.append(Attempt(connection: Connection(descriptor), started: .now))
            nextTry = MonotonicClock.now.advanced(byMilliseconds: interval)
            // A connection that is refused behind a forwarder is accepted first: that says nothing yet.
            if waiting.count > 1 { accepted() }
        } catch {
            switch error {
            case .refused, .reset, .timedOut, .closed, .unreachable:
                failed(error)
                // A try that has waited for the port by itself is followed by the next: nobody would notice the port meanwhile.
                if MonotonicClock.now.milliseconds(since: begin) < interval { backOff() } else { nextTry = .now }
            default: throw error
            }
        }
    }

    private mutating func backOff() {
        nextTry = MonotonicClock.now.advanced(byMilliseconds: refusalPause)
        refusalPause = min(250, refusalPause * 5 / 4 + 1)
    }

    /// Before the next try after a login failed.
    mutating func pause() throws(SSHError) {
        nextTry = MonotonicClock.now.advanced(byMilliseconds: 200)
        _ = try wait(until: nextTry)
    }

    /// - Returns: The index of a connection on which something has happened.
    private func wait(until end: MonotonicClock) throws(SSHError) -> Int? {
        var set = waiting.map { pollfd(fd: $0.connection.rawDescriptor, events: Int16(POLLIN), revents: 0) }
        set.append(pollfd(fd: options.cancellation?.rawDescriptor ?? -1, events: Int16(POLLIN), revents: 0))
        set.append(pollfd(fd: options.endedDescriptor ?? -1, events: Int16(POLLIN), revents: 0))
        let left = CInt(clamping: max(0, end.milliseconds(since: .now)))
        let count = poll(&set, nfds_t(set.count), left)
        if options.cancellation?.isRequested == true { throw .interrupted }
        guard count > 0 else { return nil }
        if set[waiting.count + 1].revents != 0 { throw .machineEnded }
        return set.dropLast(2).firstIndex { $0.revents != 0 }
    }
}
