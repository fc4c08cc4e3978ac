import LinuxSystem
import SSH
import SystemPackage
import SSHTestServer
import Testing

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
        let after = try FirstContact.exchange(session, user: server.user, key: key) { () throws(SSHError) in
            try server.connect()
        }
        #expect(try after.run(SSHCommand("exit 9")) == .exited(9))
        #expect(try lines(server) == [key.publicKey.line])
        #expect(try FileSystem.status(server.authorizedKeys)?.permissions == 0o600)
        #expect(try FileSystem.list(server.authorizedKeys.removingLastComponent()) == ["authorized_keys"])
        #expect(throws: SSHError.self) {
            try server.connect().authenticate(user: server.user, keys: WellKnownKeys.all)
        }
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
        _ = try FirstContact.exchange(session, user: server.user, key: key) { () throws(SSHError) in
            try server.connect()
        }
        #expect(try lines(server) == ["# comment", other.publicKey.line, key.publicKey.line])
    }

    @Test("does no harm when it is done again, or again from any step", arguments: 0..<3)
    func again(step: Int) throws {
        let server = try TestServer(accepting: WellKnownKeys.all.map(\.publicKey))
        let session = try server.connect()
        try session.authenticate(user: server.user, keys: WellKnownKeys.all)
        // Killed after this many steps.
        if step >= 1 { try FirstContact.add(key.publicKey, over: session) }
        if step >= 2 {
            try FirstContact.remove(WellKnownKeys.all.map(\.publicKey), keeping: key.publicKey, over: session)
        }
        for _ in 0..<2 {
            let next = try server.connect()
            try next.authenticate(user: server.user, keys: [key] + WellKnownKeys.all)
            _ = try FirstContact.exchange(next, user: server.user, key: key) { () throws(SSHError) in
                try server.connect()
            }
            #expect(try lines(server) == [key.publicKey.line])
        }
    }

    @Test("keeps the old keys when the new one does not work")
    func unverified() throws {
        let server = try TestServer(accepting: WellKnownKeys.all.map(\.publicKey))
        let session = try server.connect()
        try session.authenticate(user: server.user, keys: WellKnownKeys.all)
        #expect(throws: SSHError.authenticationRefused(user: server.user, tried: [], offered: []).self) {
            _ = try FirstContact.exchange(session, user: server.user, key: key) { () throws(SSHError) in
                throw .authenticationRefused(user: server.user, tried: [], offered: [])
            }
        }
        #expect(try lines(server).count == 3)
    }

    @Test("refuses to remove the only key that works")
    func lockOut() throws {
        let server = try TestServer(accepting: WellKnownKeys.all.map(\.publicKey))
        let session = try server.connect()
        try session.authenticate(user: server.user, keys: WellKnownKeys.all)
        #expect(throws: SSHError.self) {
            try FirstContact.remove(WellKnownKeys.all.map(\.publicKey), keeping: key.publicKey, over: session)
        }
        #expect(try lines(server).count == 2)
    }
}
