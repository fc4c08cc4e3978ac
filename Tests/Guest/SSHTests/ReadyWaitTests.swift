import Glibc
import LinuxSystem
import SSH
import SSHTestServer
import Synchronization
import Testing

/// Waiting for a machine that boots.
@Suite struct ReadyWaitTests {
    let key: SSHKeyPair
    init() throws { key = try SSHKeyPair.generate(comment: "test") }

    /// Collects from the waiting thread.
    final class Stages: Sendable {
        private let list = Mutex<[ReadyWait.Stage]>([])
        var all: [ReadyWait.Stage] { list.withLock { $0 } }
        func add(_ stage: ReadyWait.Stage) { list.withLock { $0.append(stage) } }
    }

    @Test("logs in once the server has started")
    func late() throws {
        let server = try TestServer(accepting: [key.publicKey], started: false)
        let stages = Stages()
        let box = ServerBox(server)
        let starter = try Thread(name: "starter") {
            // Not before the wait has seen a closed port.
            while stages.all.isEmpty { usleep(5000) }
            try? box.server.start()
        }
        let wait = ReadyWait(user: server.user, keys: [key])
        let login = try wait.run(milliseconds: 30_000, report: stages.add) { () throws(SSHError) in
            try server.transport.connect()
        }
        starter.join()
        #expect(login.key == key)
        #expect(try login.session.run(SSHCommand("exit 8")) == .exited(8))
        #expect(stages.all.first == .waitingForPort)
        #expect(stages.all.last == .ready)
        #expect(stages.all.contains { if case .greeted(let banner) = $0 { banner.contains("OpenSSH") } else { false } })
    }

    /// The tests' threads take turns with it: one starts it, the other connects afterwards.
    final class ServerBox: @unchecked Sendable {
        let server: TestServer
        init(_ server: TestServer) { self.server = server }
    }

    @Test("finds the server although earlier connections are accepted and never answered")
    func swallowed() throws {
        let silent = try FakeServer()
        let server = try TestServer(accepting: [key.publicKey])
        let stages = Stages()
        var count = 0
        let login = try ReadyWait(user: server.user, keys: [key]).run(milliseconds: 30_000, report: stages.add) {
            () throws(SSHError) in
            count += 1
            return try (count <= 2 ? silent.transport : server.transport).connect()
        }
        #expect(try login.session.run(SSHCommand("true")).isSuccess)
        #expect(stages.all.first == .waitingForBanner)
        #expect(count == 3)
    }

    @Test("says how far it came when the time is over")
    func notReady() throws {
        let port = try freePort()
        let refused = #expect(throws: SSHError.self) {
            try ReadyWait(user: "nobody", keys: []).run(milliseconds: 300) { () throws(SSHError) in
                try SSHTransport.tcp(host: "127.0.0.1", port: port).connect()
            }
        }
        #expect(refused == .notReady(reached: .connection, last: .refused("127.0.0.1:\(port)"), milliseconds: 300))
        let silent = try FakeServer()
        var wait = ReadyWait(user: "nobody", keys: [])
        wait.pace = Pace(first: .milliseconds(50), growing: 2, most: .milliseconds(200))
        let mute = #expect(throws: SSHError.self) {
            try wait.run(milliseconds: 700) { () throws(SSHError) in try silent.transport.connect() }
        }
        guard case .notReady(reached: .banner, last: .timedOut(.banner, _), milliseconds: 700) = mute else {
            Issue.record("\(mute.map { "\($0)" } ?? "no error")")
            return
        }
    }

    @Test("bears refused logins for a while, then says so")
    func refusedLogin() throws {
        let server = try TestServer(accepting: [])
        let stages = Stages()
        var wait = ReadyWait(user: server.user, keys: [key])
        wait.refusalPatience = 500
        let error = #expect(throws: SSHError.self) {
            try wait.run(milliseconds: 60_000, report: stages.add) { () throws(SSHError) in
                try server.transport.connect()
            }
        }
        #expect(error?.layer == .authentication)
        #expect(stages.all.filter { $0 == .loginRefused }.count > 1)
    }

    @Test("ends at once when the machine ends or the user asks, in either phase", arguments: [false, true])
    func ended(accepting: Bool) throws {
        let silent = try FakeServer()
        let port = accepting ? silent.port : try freePort()
        let (signal, other) = try socketPair()
        var options = SSHSession.Options()
        options.endedDescriptor = signal.rawValue
        other.close()
        #expect(throws: SSHError.machineEnded) {
            try ReadyWait(user: "nobody", keys: [], options).run(milliseconds: 60_000) { () throws(SSHError) in
                try SSHTransport.tcp(host: "127.0.0.1", port: port).connect()
            }
        }
        let cancellation = try Cancellation()
        cancellation.request()
        options.endedDescriptor = nil
        options.cancellation = cancellation
        #expect(throws: SSHError.interrupted) {
            try ReadyWait(user: "nobody", keys: [], options).run(milliseconds: 60_000) { () throws(SSHError) in
                try SSHTransport.tcp(host: "127.0.0.1", port: port).connect()
            }
        }
    }

    @Test("a changed host key ends the wait")
    func changedHostKey() throws {
        let server = try TestServer(accepting: [key.publicKey])
        var options = SSHSession.Options()
        options.hostKey = key.publicKey
        let actual = try server.connect().hostKey.fingerprint
        #expect(throws: SSHError.hostKeyChanged(expected: key.publicKey.fingerprint, actual: actual)) {
            try ReadyWait(user: server.user, keys: [key], options).run(milliseconds: 60_000) { () throws(SSHError) in
                try server.transport.connect()
            }
        }
    }
}
