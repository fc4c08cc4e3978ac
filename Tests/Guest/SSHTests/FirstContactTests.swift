import Glibc
import LinuxSystem
import SSHTestServer
import Synchronization
import SystemPackage
import Testing

@testable import SSH

/// A box's well-known keys give way to the machine's own.
@Suite struct FirstContactTests {
    let key: SSHKeyPair
    init() throws { key = try SSHKeyPair.generate(comment: "wander default") }

    private func lines(_ server: TestServer) throws -> [String] {
        String(decoding: try FileSystem.read(server.authorizedKeys), as: UTF8.self).split(separator: "\n").map(
            String.init)
    }

    @Test("puts the machine's key in the place of both well-known ones", arguments: TestServer.kinds)
    func exchange(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: WellKnownKeys.all.map(\.publicKey))
        let session = try server.connect()
        let used = try session.authenticate(user: server.user, keys: [key] + WellKnownKeys.all)
        #expect(FirstContact.isNeeded(after: used))
        let process = try FirstContact.exchange(
            session, key: key.publicKey, proof: try second(to: server),
            start: { () throws(SSHError) in
                try session.start(SSHCommand("umask >\(server.home)/umask; echo ready; cat >\(server.home)/next"))
            }, finish: { process throws(SSHError) in try process.expect("ready", named: "get ready") })
        let outcome = try process.attend(input: .bytes(Array("hello".utf8)))
        #expect(outcome == .exited(0))
        #expect(try FileSystem.read(server.home.appending("next")) == Array("hello".utf8))
        #expect(String(decoding: try FileSystem.read(server.home.appending("umask")), as: UTF8.self) != "0077\n")
        #expect(try session.run(SSHCommand("exit 8")) == .exited(8))
        #expect(try lines(server) == [key.publicKey.line])
        #expect(try FileSystem.status(server.authorizedKeys)?.permissions == 0o600)
        #expect(try FileSystem.list(server.authorizedKeys.removingLastComponent()) == ["authorized_keys"])
        #expect(throws: SSHError.self) {
            try server.connect().authenticate(user: server.user, keys: WellKnownKeys.all)
        }
    }

    @Test("a key that the box brings goes out too")
    func boxKey() throws {
        let box = try SSHKeyPair.generate(comment: "the box's")
        let other = try SSHKeyPair.generate(comment: "a colleague")
        let server = try TestServer(accepting: [box.publicKey, other.publicKey])
        let session = try server.connect()
        try session.authenticate(user: server.user, keys: [box])
        _ = try FirstContact.exchange(
            session, key: key.publicKey, old: [box.publicKey], proof: try second(to: server), start: {},
            finish: { _ in })
        #expect(try lines(server) == [other.publicKey.line, key.publicKey.line])
    }

    @Test("a login with the machine's own key needs no other proof; the old keys go all the same")
    func provedAlready() throws {
        let server = try TestServer(accepting: WellKnownKeys.all.map(\.publicKey) + [key.publicKey])
        let session = try server.connect()
        try session.authenticate(user: server.user, keys: [key])
        _ = try FirstContact.exchange(session, key: key.publicKey, proof: nil, start: {}, finish: { _ in })
        #expect(try lines(server) == [key.publicKey.line])
    }

    @Test("leaves other keys alone, and finds old ones behind options and other comments")
    func others() throws {
        let other = try SSHKeyPair.generate(comment: "a colleague")
        let server = try TestServer(accepting: [other.publicKey])
        let wellKnown = WellKnownKeys.all.map(\.publicKey)
        // Without a line break at the end, as an editor may leave it.
        let text = """
            # comment
            no-pty \(wellKnown[1].algorithm) \(wellKnown[1].base64) renamed
            \(other.publicKey.line)
            \(wellKnown[0].algorithm) \(wellKnown[0].base64)
            """
        try AtomicFile.write(text, to: server.authorizedKeys, permissions: 0o600)
        let session = try server.connect()
        try session.authenticate(user: server.user, keys: WellKnownKeys.all)
        try exchange(session, second(to: server))
        #expect(try lines(server) == ["# comment", other.publicKey.line, key.publicKey.line])
    }

    @Test("does no harm when it is done again, or again from any step", arguments: 0..<3)
    func again(step: Int) throws {
        let server = try TestServer(accepting: WellKnownKeys.all.map(\.publicKey))
        let session = try server.connect()
        try session.authenticate(user: server.user, keys: WellKnownKeys.all)
        // Killed after this many steps.
        if step >= 1 {
            let process = try FirstContact.add(key.publicKey, over: session)
            if step >= 2 {
                try process.send("proved\n")
                try FirstContact.awaitRemoval(by: process)
            }
        }
        session.close()
        for _ in 0..<2 {
            let next = try server.connect()
            try next.authenticate(user: server.user, keys: [key] + WellKnownKeys.all)
            try exchange(next, second(to: server))
            #expect(try lines(server) == [key.publicKey.line])
        }
    }

    @Test("keeps the old keys when the new one does not work")
    func unverified() throws {
        let server = try TestServer(accepting: WellKnownKeys.all.map(\.publicKey))
        let session = try server.connect()
        try session.authenticate(user: server.user, keys: WellKnownKeys.all)
        // A second connection that has another key stands for a server that does not take the new one.
        let other = try SSHKeyPair.generate(comment: "not there")
        let error = #expect(throws: SSHError.self) {
            try exchange(session, second(to: server, other))
        }
        guard case .authenticationRefused = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try lines(server).count == 3)
    }

    @Test("refuses to remove the only key that works")
    func lockOut() throws {
        let wellKnown = WellKnownKeys.all.map(\.publicKey)
        let server = try TestServer(accepting: wellKnown)
        let session = try server.connect()
        try session.authenticate(user: server.user, keys: WellKnownKeys.all)
        let process = try FirstContact.add(key.publicKey, over: session)
        try #require(try lines(server).count == 3)
        // Somebody else has written the file again.
        let text = wellKnown.map { $0.line + "\n" }.joined()
        try AtomicFile.write(text, to: server.authorizedKeys, permissions: 0o600)
        try process.send("proved\n")
        #expect(throws: SSHError.self) { try FirstContact.awaitRemoval(by: process) }
        #expect(try lines(server).count == 2)
    }

    @Test("changes nothing more when the connection goes before the new key is proved")
    func unproved() throws {
        let server = try TestServer(accepting: WellKnownKeys.all.map(\.publicKey))
        let session = try server.connect()
        try session.authenticate(user: server.user, keys: WellKnownKeys.all)
        _ = try FirstContact.add(key.publicKey, over: session)
        session.close()
        usleep(300_000)
        #expect(try lines(server).count == 3)
    }

    private func exchange(_ session: SSHSession, _ second: SecondConnection) throws(SSHError) {
        try FirstContact.exchange(session, key: key.publicKey, proof: second, start: {}, finish: {})
    }

    @Test("a second connection that came to nothing is made again", .timeLimit(.minutes(15)))
    func brokenEarly() throws {
        let server = try TestServer(accepting: WellKnownKeys.all.map(\.publicKey))
        let session = try server.connect()
        try session.authenticate(user: server.user, keys: WellKnownKeys.all)
        let transport = server.transport
        let tries = Atomic(0)
        let second = try SecondConnection(user: server.user, key: key) { () throws(SSHError) in
            if tries.wrappingAdd(1, ordering: .relaxed).oldValue == 0 { throw .refused("early") }
            return try transport.connect()
        }
        try exchange(session, second)
        #expect(try lines(server) == [key.publicKey.line])
    }

    @Test("refuses a second connection that leads to another server", .timeLimit(.minutes(15)))
    func otherServer() throws {
        let server = try TestServer(accepting: WellKnownKeys.all.map(\.publicKey))
        let other = try TestServer(accepting: [key.publicKey])
        let session = try server.connect()
        try session.authenticate(user: server.user, keys: WellKnownKeys.all)
        let error = #expect(throws: SSHError.self) {
            try exchange(session, second(to: other))
        }
        guard case .hostKeyChanged = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try lines(server).count == 3)
    }

    @Test("does not wait for what was interrupted", .timeLimit(.minutes(15)))
    func interrupted() throws {
        let server = try TestServer(accepting: WellKnownKeys.all.map(\.publicKey))
        var options = SSHSession.Options()
        let cancellation = try Cancellation()
        options.cancellation = cancellation
        let transport = server.transport
        let second = try SecondConnection(user: server.user, key: key, options) { () throws(SSHError) in
            try transport.connect()
        }
        // Never allowed to proceed, it would wait for ever.
        cancellation.request()
        #expect(throws: SSHError.interrupted) { try second.finish() }
        second.abandon()
    }

    private func second(to server: TestServer, _ other: SSHKeyPair? = nil) throws -> SecondConnection {
        let transport = server.transport
        return try SecondConnection(user: server.user, key: other ?? key) { () throws(SSHError) in
            try transport.connect()
        }
    }
}
