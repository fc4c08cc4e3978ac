import Glibc
import LinuxSystem
import Provisioning
import Reporting
import SSH
import SSHTestServer
import SystemPackage
import TestSupport
import Testing

/// Ready probes, asked through a real SSH server.
@Suite(.enabled(if: getuid() == 0, "probes run as the guest's root, which here is this host's")) struct ReadinessTests {
    let key: SSHKeyPair
    init() throws { key = try SSHKeyPair.generate(comment: "test") }

    private func wait(
        _ probes: [ReadinessProbe], _ server: TestServer, _ report: @escaping (ProvisioningEvent) -> Void = { _ in }
    ) throws {
        try ReadinessWait(over: server.logIn(key), report: report).run(probes)
    }

    @Test("a port is ready when something listens on it", arguments: TestServer.kinds)
    func port(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let listening = try FakeServer()
        try wait([ReadinessProbe(name: "open", check: .tcp(listening.port))], server)
        let closed = try freePort()
        let probe = ReadinessProbe(
            name: "closed", check: .tcp(closed), timeout: .milliseconds(300), interval: .milliseconds(50),
            hint: "start it")
        let error = #expect(throws: ProvisioningError.self) { try wait([probe], server) }
        #expect(
            error
                == .notReady(
                    probe: "closed", milliseconds: 300, lastMessage: "nothing accepts connections on port \(closed)",
                    hint: "start it"))
        #expect(error?.kind == .timeout)
    }

    @Test("ports and addresses are found out inside where the server forwards nothing", arguments: TestServer.kinds)
    func withoutForwarding(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey], forwarding: false)
        let session = try server.logIn(key)
        #expect(throws: SSHError.self) { try session.accepts(port: server.port) }
        try wait([ReadinessProbe(name: "open", check: .tcp(server.port))], server)
        let closed = ReadinessProbe(
            name: "closed", check: .tcp(try freePort()), timeout: .milliseconds(1), interval: .milliseconds(50))
        let error = #expect(throws: ProvisioningError.self) { try wait([closed], server) }
        #expect(error?.kind == .timeout)
        // An SSH server is no web server, whichever program asks.
        let web = ReadinessProbe(
            name: "web", check: .http("http://127.0.0.1:\(server.port)/"), timeout: .milliseconds(1),
            interval: .milliseconds(50))
        #expect(throws: ProvisioningError.self) { try wait([web], server) }
    }

    @Test("a command is asked until it succeeds; what it said last is kept")
    func command() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let file = server.home.appending("count")
        let script = "echo x >>\(file); n=$(wc -l <\(file)); echo \"try $n\"; [ $n -ge 3 ]"
        var events: [ProvisioningEvent] = []
        try wait([ReadinessProbe(name: "third", check: .run(script), interval: .milliseconds(50))], server) {
            events.append($0)
        }
        #expect(
            events == [
                .probe(name: "third", message: "exit status 1: try 1"),
                .probe(name: "third", message: "exit status 1: try 2"),
                .ready(probe: "third"),
            ])
    }

    @Test("a command that hangs is ended and asked again", .timeLimit(.minutes(15)))
    func hanging() throws {
        let server = try TestServer(accepting: [key.publicKey])
        var wait = ReadinessWait(over: try server.logIn(key)) { _ in }
        wait.questionLimit = 300
        let file = server.home.appending("pid")
        let probe = ReadinessProbe(
            name: "slow", check: .run("echo $$ >\(file); sleep 300"), timeout: .milliseconds(500),
            interval: .milliseconds(50))
        #expect(
            throws: ProvisioningError.notReady(
                probe: "slow", milliseconds: 500, lastMessage: "no answer within 300 ms", hint: nil)
        ) { try wait.run([probe]) }
    }

    /// Each question leaves the time of its start and of its end, in nanoseconds.
    private func pauses(_ probe: String, interval: Duration, timeout: Duration) throws -> [Int64] {
        let server = try TestServer(accepting: [key.publicKey])
        let file = server.home.appending("asked")
        let command = "date +%s%N >>\(file); \(probe); date +%s%N >>\(file); exit 1"
        let asked = ReadinessProbe(name: "asked", check: .run(command), timeout: timeout, interval: interval)
        #expect(throws: ProvisioningError.self) { try wait([asked], server) }
        let times = String(decoding: try FileSystem.read(file), as: UTF8.self).split(separator: "\n").compactMap {
            Int64($0)
        }
        return stride(from: 1, to: times.count - 1, by: 2).map { (times[$0 + 1] - times[$0]) / 1_000_000 }
    }

    @Test("a probe is asked as often as its interval says and no more", .timeLimit(.minutes(15)))
    func interval() throws {
        let pauses = try pauses("true", interval: .milliseconds(400), timeout: .seconds(3))
        #expect(pauses.count >= 2 && pauses.allSatisfy { $0 >= 400 }, "\(pauses)")
    }

    @Test("a guest that takes long to answer gets as long to itself", .timeLimit(.minutes(15)))
    func slowAnswer() throws {
        let pauses = try pauses("sleep 1", interval: .milliseconds(50), timeout: .seconds(9))
        // Towards the end there is no such time left.
        #expect(pauses.count >= 2 && pauses.prefix(2).allSatisfy { $0 >= 1000 }, "\(pauses)")
        #expect(pauses.count <= 5, "\(pauses)")
    }

    @Test("a file is ready when it is there; probes take turns")
    func file() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let file = server.home.appending("flag file")
        // The second probe makes what the first one waits for.
        let probes = [
            ReadinessProbe(name: "flag", check: .file(file.string), interval: .milliseconds(50)),
            ReadinessProbe(name: "maker", check: .run("touch '\(file)'"), interval: .milliseconds(50)),
        ]
        var ready: [String] = []
        try wait(probes, server) { if case .ready(let name) = $0 { ready.append(name) } }
        #expect(ready == ["maker", "flag"])
    }

    @Test("a sudo that hangs is no answer, whatever is asked", .timeLimit(.minutes(15)), arguments: [true, false])
    func hangingSudo(asksForFile: Bool) throws {
        // A user who is not root has to become it.
        let passwd = String(decoding: try FileSystem.read("/etc/passwd"), as: UTF8.self)
            .split(separator: "\n").filter { !$0.hasPrefix("daemon:") }.joined(separator: "\n")
        let server = try TestServer(
            accepting: [key.publicKey],
            files: [
                "/etc/passwd": "\(passwd)\ndaemon:x:1:1::/tmp:/bin/sh\n",
                "/usr/bin/sudo": "#!/bin/sh\nexec sleep 50\n",
            ])
        for place in [server.home, server.home.appending(".ssh")] { try FileSystem.setPermissions(place, 0o755) }
        try FileSystem.setPermissions(server.authorizedKeys, 0o644)
        let session = try server.connect()
        try session.authenticate(user: "daemon", keys: [key])
        var wait = ReadinessWait(over: session) { _ in }
        wait.questionLimit = 400
        let probe = ReadinessProbe(
            name: "probe", check: asksForFile ? .file("/etc/passwd") : .run("true"), timeout: .milliseconds(600),
            interval: .milliseconds(50))
        #expect(
            throws: ProvisioningError.notReady(
                probe: "probe", milliseconds: 600, lastMessage: "no answer within 400 ms", hint: nil)
        ) { try wait.run([probe]) }
    }

    @Test(
        "an address is ready when its status is good",
        arguments: [(200, true), (302, true), (404, false), (500, false)])
    func http(status: Int, isReady: Bool) throws {
        let server = try TestServer(accepting: [key.publicKey])
        let web = WebServer(fake: try FakeServer(), answer: "HTTP/1.1 \(status) Word\r\nContent-Length: 0\r\n\r\n")
        let thread = try LinuxSystem.Thread(name: "web") { web.serveOne() }
        let probe = ReadinessProbe(
            name: "web", check: .http("http://127.0.0.1:\(web.port)/health"),
            timeout: .milliseconds(isReady ? 5000 : 1), interval: .milliseconds(50))
        if isReady {
            try wait([probe], server)
        } else {
            #expect(
                throws: ProvisioningError.notReady(
                    probe: "web", milliseconds: 1, lastMessage: "HTTP status \(status)", hint: nil)
            ) { try wait([probe], server) }
        }
        thread.join()
    }

    /// Answers one connection; used by one thread.
    final class WebServer: @unchecked Sendable {
        private let fake: FakeServer
        private let answer: String
        var port: UInt16 { fake.port }
        init(fake: FakeServer, answer: String) {
            self.fake = fake
            self.answer = answer
        }
        func serveOne() {
            let connection = fake.accept()
            _ = try? connection.read(upTo: 4096)
            try? connection.writeAll(answer)
        }
    }

    @Test("what is no address is refused before anything is asked")
    func address() throws {
        let server = try TestServer(accepting: [key.publicKey])
        #expect(throws: ProvisioningError.invalidURL(probe: "x", url: "localhost:80")) {
            try wait([ReadinessProbe(name: "x", check: .http("localhost:80"))], server)
        }
    }
}
