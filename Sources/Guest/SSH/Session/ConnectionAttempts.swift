import Glibc
import LinuxSystem
import SystemPackage

/// Connections that the server has accepted but not greeted yet, oldest first.
///
/// A server starts a process for each, on a machine that may be busy booting, so only a few wait at once. The oldest
/// stays until the end, since the server serves it next. Others may have been lost while the guest set up its network,
/// so one of them is replaced now and then, each time after a longer pause.
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

    /// What the waiting looks at while nothing happens, in milliseconds.
    private static let tick: Int64 = 1000

    private let options: SSHSession.Options
    private let atOnce: Int
    private var waiting: [Attempt] = []
    private var nextTry = MonotonicClock.now
    /// Between connections that are accepted and stay silent.
    private var silences: Pace
    /// After a refusal, which costs the guest next to nothing: it is known at once when the port opens.
    private var refusals = Pace(first: .milliseconds(20), growing: 1.25, most: .milliseconds(250))
    /// After the server has hung up: it has started a process for that.
    private var hangUps = Pace(first: .milliseconds(250), growing: 2, most: .seconds(15))
    /// After the server has said that it has too many connections, or too many of ours.
    private var overloads = Pace(first: .seconds(2), growing: 2, most: .seconds(30))
    /// After a login that came to nothing.
    private var failures = Pace(first: .milliseconds(200), growing: 2, most: .seconds(15))

    init(_ options: SSHSession.Options, atOnce: Int, pace: Pace) {
        self.options = options
        self.atOnce = max(1, atOnce)
        silences = pace
    }

    /// Whether connections are accepted at the moment, as far as is known.
    var hasOpenPort: Bool { !waiting.isEmpty }

    /// - Parameters:
    ///   - deadline: Asked at every turn: it may be put off.
    ///   - turn: Called at least once a second; what it throws ends the wait.
    /// - Returns: A connection on which something has arrived; nil at the deadline.
    mutating func next(
        _ deadline: (_ hasOpenPort: Bool) -> MonotonicClock, turn: () throws(SSHError) -> Void,
        connect: () throws(SSHError) -> OwnedDescriptor, failed: (SSHError) -> Void, accepted: () -> Void
    ) throws(SSHError) -> OwnedDescriptor? {
        while true {
            try turn()
            let end = deadline(hasOpenPort)
            if MonotonicClock.now >= end { return nil }
            if MonotonicClock.now >= nextTry { try start(connect, failed, accepted) }
            let pause = min(end, nextTry, MonotonicClock.now.advanced(byMilliseconds: Self.tick))
            if let index = try wait(until: pause), let descriptor = waiting.remove(at: index).connection.take() {
                var byte: UInt8 = 0
                let count = recv(descriptor.rawValue, &byte, 1, CInt(MSG_PEEK | MSG_DONTWAIT))
                if count > 0 { return descriptor }
                failed(count == 0 ? .closed(.banner) : .reset(.banner))
                nextTry = MonotonicClock.now.advanced(byMilliseconds: hangUps.nextMilliseconds())
            }
        }
    }

    private mutating func start(
        _ connect: () throws(SSHError) -> OwnedDescriptor, _ failed: (SSHError) -> Void, _ accepted: () -> Void
    ) throws(SSHError) {
        if waiting.count >= atOnce {
            guard atOnce > 1 else {
                nextTry = MonotonicClock.now.advanced(byMilliseconds: silences.nextMilliseconds())
                return
            }
            let lost = waiting.remove(at: 1)
            failed(.timedOut(.banner, milliseconds: MonotonicClock.now.milliseconds(since: lost.started)))
        }
        let begin = MonotonicClock.now
        do {
            let descriptor = try connect()
            waiting.append(Attempt(connection: Connection(descriptor), started: .now))
            refusals.restart()
            nextTry = MonotonicClock.now.advanced(byMilliseconds: silences.nextMilliseconds())
            // A connection that is refused behind a forwarder is accepted first: that says nothing yet.
            if waiting.count > 1 { accepted() }
        } catch {
            switch error {
            case .refused, .reset, .timedOut, .closed, .unreachable:
                failed(error)
                let pause = refusals.nextMilliseconds()
                // A try that has waited for the port by itself is followed by the next: nobody would notice the port
                // meanwhile.
                nextTry = max(begin.advanced(byMilliseconds: pause), .now)
            default: throw error
            }
        }
    }

    /// The server has greeted: whatever kept it from that is over.
    mutating func greeted() {
        hangUps.restart()
        overloads.restart()
    }

    /// Before the next try after a connection came to nothing that was greeted or answered otherwise.
    /// - Parameter isOverloaded: Whether the server said that it has too much to do.
    mutating func pause(isOverloaded: Bool) {
        nextTry = MonotonicClock.now.advanced(
            byMilliseconds: isOverloaded ? overloads.nextMilliseconds() : failures.nextMilliseconds())
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
