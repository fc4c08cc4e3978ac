import Glibc
import LinuxSystem
import SSH
import SSHTestServer
import SystemPackage
import TestSupport
import Testing

/// What can go wrong before a command runs: each layer has its own error.
@Suite struct HandshakeTests {
    let key: SSHKeyPair
    init() throws { key = try SSHKeyPair.generate(comment: "test") }

    @Test("a port that nobody listens on is refused")
    func refused() throws {
        let port = try freePort()
        #expect(throws: SSHError.refused("127.0.0.1:\(port)")) {
            try SSHSession(to: .tcp(host: "127.0.0.1", port: port))
        }
    }

    @Test("a socket file that does not exist yet is refused too")
    func missingSocket() throws {
        let path = try TemporaryFolder().path.appending("gone.sock")
        #expect(throws: SSHError.refused(path.string)) { try SSHSession(to: .unixSocket(path)) }
    }

    @Test("a host name is not looked up")
    func hostName() {
        #expect(throws: SSHError.notAnAddress("example.org")) {
            try SSHSession(to: .tcp(host: "example.org", port: 22))
        }
    }

    @Test("a server that accepts and says nothing times out at the banner")
    func silent() throws {
        let server = try FakeServer()
        var options = SSHSession.Options()
        options.bannerMilliseconds = 200
        #expect(throws: SSHError.timedOut(.banner, milliseconds: 200)) { try SSHSession(to: server.transport, options) }
    }

    @Test("a server that hangs up before its greeting is told from one that is silent")
    func hangUp() throws {
        let (ours, theirs) = try socketPair()
        theirs.close()
        var options = SSHSession.Options()
        options.bannerMilliseconds = 5000
        #expect(throws: SSHError.closed(.banner)) { try SSHSession(over: ours.take(), options) }
    }

    @Test("what is no SSH server is quoted, without what could upset a terminal")
    func garbage() throws {
        let (ours, theirs) = try socketPair()
        try theirs.writeAll("HTTP/1.1 400 \u{1b}[2JBad Request\r\n\r\n")
        theirs.close()
        #expect(throws: SSHError.notSSH("HTTP/1.1 400 ?[2JBad Request")) { try SSHSession(over: ours.take()) }
    }

    @Test("babble without end is cut off")
    func endlessGarbage() throws {
        let (ours, theirs) = try socketPair()
        try theirs.writeAll([UInt8](repeating: UInt8(ascii: "x"), count: 20_000))
        #expect(throws: SSHError.notSSH(String(repeating: "x", count: 80))) { try SSHSession(over: ours.take()) }
        theirs.close()
    }

    @Test("a greeting with nothing behind it fails at the key exchange")
    func greetingOnly() throws {
        let (ours, theirs) = try socketPair()
        try theirs.writeAll("a line before the greeting is allowed\r\nSSH-2.0-Nothing\r\n")
        var options = SSHSession.Options()
        options.stepMilliseconds = 200
        #expect(throws: SSHError.timedOut(.keyExchange, milliseconds: 200)) {
            try SSHSession(over: ours.take(), options)
        }
        theirs.close()
    }

    @Test("random bytes after the greeting are an error, not a crash", arguments: 0..<8)
    func brokenKeyExchange(seed: Int) throws {
        let (ours, theirs) = try socketPair()
        try theirs.writeAll("SSH-2.0-Broken\r\n")
        try theirs.writeAll([0, 0, UInt8(seed), 12, 10, 20] + randomBytes(count: 6000))
        theirs.close()
        let error = #expect(throws: SSHError.self) { try SSHSession(over: ours.take()) }
        #expect(error?.layer == .keyExchange)
    }

    @Test(
        "the server's Ed25519 key is the one that is shown, and a pinned one is accepted", arguments: TestServer.kinds)
    func hostKey(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let session = try server.connect()
        #expect(session.hostKey.algorithm == "ssh-ed25519")
        #expect(session.serverBanner.hasPrefix("SSH-2.0-"))
        var options = SSHSession.Options()
        options.hostKey = session.hostKey
        #expect(try server.connect(options).hostKey == session.hostKey)
    }

    @Test("another key than the pinned one is refused before the login")
    func changedHostKey() throws {
        let server = try TestServer(accepting: [key.publicKey])
        var options = SSHSession.Options()
        let before = try server.connect().hostKey
        options.hostKey = before
        server.stop()
        try server.makeHostKey()
        try server.start()
        let after = try server.connect().hostKey
        #expect(throws: SSHError.hostKeyChanged(expected: before.fingerprint, actual: after.fingerprint)) {
            try server.connect(options)
        }
    }

    @Test("a key that the server does not know is refused by name", arguments: TestServer.kinds)
    func wrongKey(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [])
        let session = try server.connect()
        let fingerprint = key.publicKey.fingerprint
        #expect(
            throws: SSHError.authenticationRefused(
                user: server.user, tried: ["ssh-ed25519 \(fingerprint)"], offered: ["publickey"])
        ) { try session.authenticate(user: server.user, keys: [key]) }
    }

    @Test("the well-known keys open a box that holds either", arguments: TestServer.kinds, [0, 1])
    func wellKnownKeys(kind: TestServer.Kind, index: Int) throws {
        let pair = WellKnownKeys.all[index]
        let server = try TestServer(kind, accepting: [pair.publicKey])
        let session = try server.connect()
        #expect(try session.authenticate(user: server.user, keys: WellKnownKeys.all) == pair)
        #expect(try session.run(SSHCommand("exit 5")) == .exited(5))
    }

    @Test("works over a socket in the file system")
    func unixSocket() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let serving = try server.serveOnceAtSocket()
        let session = try SSHSession(to: .unixSocket(server.socket))
        try session.authenticate(user: server.user, keys: [key])
        #expect(try session.run(SSHCommand("exit 6")) == .exited(6))
        session.close()
        serving.join()
    }
}
