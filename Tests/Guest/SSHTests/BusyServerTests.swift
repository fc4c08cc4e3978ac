import LinuxSystem
import SSH
import SSHTestServer
import Synchronization
import Testing

/// Waiting for a server that is slow, overloaded or strict must not add to its load.
@Suite struct BusyServerTests {
    let key: SSHKeyPair
    init() throws { key = try SSHKeyPair.generate(comment: "test") }

    private final class LastTime: Sendable {
        private let last = Mutex<MonotonicClock?>(nil)
        /// Milliseconds since the last call; 0 for the first.
        func next() -> Int64 {
            last.withLock { last in
                defer { last = .now }
                return last.map { MonotonicClock.now.milliseconds(since: $0) } ?? 0
            }
        }
    }

    private func logIn(_ busy: BusyServer, _ server: TestServer, within milliseconds: Int64 = 90_000) throws {
        let wait = ReadyWait(user: server.user, keys: [key])
        let login = try wait.run(milliseconds: milliseconds) { () throws(SSHError) in try busy.transport.connect() }
        #expect(try login.session.run(SSHCommand("exit 8")) == .exited(8))
        login.session.close()
    }

    @Test("a server that gets slower with every connection is reached by those that were made first")
    func slower() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let busy = try BusyServer(before: server.transport) { _, _ in .work(milliseconds: 3000) }
        defer { busy.stop() }
        try logIn(busy, server)
        #expect(busy.opened <= 5)
        #expect(busy.mostOpen <= 3, "two, and one whose end the server may not have seen yet")
    }

    @Test("a server that says that it has too many connections gets time", arguments: [false, true])
    func overloaded(penalizes: Bool) throws {
        let server = try TestServer(accepting: [key.publicKey])
        let words = penalizes ? "Not allowed at this time\r\n" : "Exceeded MaxStartups\r\n"
        // As sshd's penalties do, the time begins anew for whoever comes too often.
        let last = LastTime()
        let busy = try BusyServer(before: server.transport) { number, _ in
            let gap = last.next()
            return gap >= (penalizes ? 3500 : 1500) ? .work(milliseconds: 10) : .complain(words)
        }
        defer { busy.stop() }
        try logIn(busy, server)
        #expect(busy.opened <= 4)
    }

    @Test("a server that hangs up before it greets is asked less and less often")
    func hangsUp() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let busy = try BusyServer(before: server.transport) { number, _ in
            number <= 4 ? .hangUp : .work(milliseconds: 10)
        }
        defer { busy.stop() }
        let start = MonotonicClock.now
        try logIn(busy, server)
        #expect(busy.opened == 5)
        // 250 ms, 500 ms, 1 s and 2 s.
        #expect(MonotonicClock.now.milliseconds(since: start) >= 3750)
    }

    @Test("a port that closes in between is looked for again at once")
    func closesInBetween() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let busy = try BusyServer(before: server.transport) { _, _ in .work(milliseconds: 100) }
        defer { busy.stop() }
        var count = 0
        let wait = ReadyWait(user: server.user, keys: [key])
        let login = try wait.run(milliseconds: 60_000) { () throws(SSHError) in
            count += 1
            if count % 5 != 0 { throw .refused("the port") }
            return try busy.transport.connect()
        }
        #expect(login.key == key)
        #expect(busy.opened == 1)
    }

    @Test("a server that never speaks sees a handful of connections, and the first of them to the end")
    func neverSpeaks() throws {
        let silent = try FakeServer()
        let busy = try BusyServer(before: silent.transport) { _, _ in .silence }
        defer { busy.stop() }
        let wait = ReadyWait(user: "nobody", keys: [key])
        let error = #expect(throws: SSHError.self) {
            try wait.run(milliseconds: 9000) { () throws(SSHError) in try busy.transport.connect() }
        }
        guard case .notReady(reached: .banner, last: _, milliseconds: 9000) = error else {
            Issue.record("\(error.map { "\($0)" } ?? "no error")")
            return
        }
        // At 0, 1, 3 and 7 seconds.
        #expect(busy.opened == 4)
        #expect(busy.mostOpen <= 3, "two, and one whose end the server may not have seen yet")
    }

    @Test("a guest that is getting on has more time, one that is not has none")
    func signsOfLife() throws {
        let silent = try FakeServer()
        let open = try BusyServer(before: silent.transport) { _, _ in .silence }
        defer { open.stop() }
        func waited(
            _ isAlive: @escaping () -> Bool, _ connect: () throws(SSHError) -> OwnedDescriptor
        ) -> Int64? {
            do throws(SSHError) {
                _ = try ReadyWait(user: "nobody", keys: []).run(
                    .init(milliseconds: 1000, longestMilliseconds: 3000, isAlive: isAlive), connect: connect)
                return nil
            } catch {
                guard case .notReady(_, _, let milliseconds) = error else { return nil }
                return milliseconds
            }
        }
        let refuse: () throws(SSHError) -> OwnedDescriptor = { () throws(SSHError) in throw .refused("the port") }
        #expect(waited({ false }, refuse) == 1000)
        #expect(waited({ true }, refuse) == 3000)
        let connect: () throws(SSHError) -> OwnedDescriptor = { () throws(SSHError) in try open.transport.connect() }
        #expect(waited({ false }, connect) == 3000)
    }
}
