import Glibc
import LinuxSystem
public import SSH
import Synchronization
import TestSupport

/// A server before a real one that behaves as sshd does on a machine that is too busy: what each connection gets is
/// told by the test, and how many there were is counted.
public final class BusyServer: Sendable {
    public enum Answer: Sendable {
        /// Becomes a connection to the real server after so much work, in milliseconds. All connections that are not
        /// served yet share one processor, and those that were given up are not known to be until they are served.
        case work(milliseconds: Double)
        /// Says a line and hangs up.
        case complain(String)
        case hangUp
        /// Never says anything.
        case silence
    }

    private struct State {
        var opened = 0
        /// Opened and not served yet, those of clients that have gone among them.
        var unserved = 0
        var open = 0
        var mostOpen = 0
        var isOver = false
    }

    public let port: UInt16
    public var transport: SSHTransport { .tcp(host: "127.0.0.1", port: port) }
    /// How many connections were opened so far.
    public var opened: Int { state.withLock { $0.opened } }
    /// How many connections had a client at once that had not been served, at the most.
    public var mostOpen: Int { state.withLock { $0.mostOpen } }

    /// POLLRDHUP of poll(2), which Glibc shows to C with _GNU_SOURCE only.
    private static let peerHangUp: Int16 = 0x2000

    private let listener: CInt
    private let front: SSHTransport
    private let decide: @Sendable (_ number: Int, _ open: Int) -> Answer
    private let state = Mutex(State())

    /// - Parameters:
    ///   - front: The real server.
    ///   - decide: Gets the connection's number, from 1, and how many others wait.
    public init(
        before front: SSHTransport, _ decide: @escaping @Sendable (_ number: Int, _ open: Int) -> Answer
    ) throws {
        (listener, port) = try listeningSocket()
        listen(listener, 64)
        self.front = front
        self.decide = decide
        let own = self
        _ = try Thread(name: "busy server", stackSize: 256 << 10) { own.acceptAll() }
    }

    /// Ends it. Its threads hold it until then.
    public func stop() {
        state.withLock { $0.isOver = true }
        shutdown(listener, CInt(SHUT_RDWR))
    }

    private var isOver: Bool { state.withLock { $0.isOver } }

    private func acceptAll() {
        while !isOver {
            let raw = accept(listener, nil, nil)
            guard raw >= 0 else { break }
            let (number, others) = state.withLock { state in
                state.opened += 1
                state.open += 1
                state.unserved += 1
                state.mostOpen = max(state.mostOpen, state.open)
                return (state.opened, state.open - 1)
            }
            let own = self
            _ = try? Thread(name: "busy connection", stackSize: 256 << 10) {
                own.serve(raw, own.decide(number, others))
                close(raw)
            }
        }
        close(listener)
    }

    private func serve(_ raw: CInt, _ answer: Answer) {
        var hasClient = true
        func leave() {
            guard hasClient else { return }
            hasClient = false
            state.withLock { $0.open -= 1 }
        }
        defer { leave() }
        var work: Double
        switch answer {
        case .work(let milliseconds): work = milliseconds
        case .silence: work = .infinity
        case .complain(let line):
            _ = line.withCString { send(raw, $0, strlen($0), CInt(MSG_NOSIGNAL)) }
            work = 0
        case .hangUp: work = 0
        }
        while work > 0, !isOver {
            var set = pollfd(fd: raw, events: Self.peerHangUp, revents: 0)
            if poll(&set, 1, 0) > 0 { leave() }
            if !hasClient, work == .infinity { break }
            usleep(10_000)
            work -= 10 / Double(max(1, state.withLock { $0.unserved }))
        }
        state.withLock { $0.unserved -= 1 }
        guard case .work = answer, hasClient, !isOver else { return }
        leave()
        guard let peer = try? front.connect() else { return }
        carry(raw, peer.rawValue) { isOver }
    }
}
