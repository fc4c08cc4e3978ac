import Glibc
import LinuxSystem
import SSHTestServer
import SystemPackage
import Testing

@testable import SSH

/// A guest whose server is well and whose shell or disk hangs: its server answers keep-alive messages for ever.
@Suite struct SilenceTests {
    let key: SSHKeyPair
    let server: TestServer
    let session: SSHSession
    init() throws {
        key = try SSHKeyPair.generate(comment: "test")
        server = try TestServer(accepting: [key.publicKey])
        var options = SSHSession.Options()
        options.answerMilliseconds = 700
        session = try server.logIn(key, options)
    }

    @Test("a short command that says nothing ends the wait for it, named")
    func command() throws {
        let process = try session.start(ShellScript("sleep 60"))
        #expect(throws: SSHError.noAnswer(command: "get ready", milliseconds: 700)) {
            try process.expect("ready", named: "get ready")
        }
        #expect(throws: SSHError.self) { try session.require("sleep 60") }
    }

    @Test("a command that goes on speaking has as long as it takes")
    func speaking() throws {
        let process = try session.start(ShellScript("for i in 1 2 3 4 5 6; do echo $i; sleep 0.3; done; echo end"))
        try process.expect("end", named: "count")
    }

    @Test("a transfer that stops moving ends, named by its path")
    func transfers() throws {
        // Nobody reads the pipe in the guest.
        let pipe = server.home.appending("pipe")
        #expect(mkfifo(pipe.string, 0o600) == 0)
        let error = #expect(throws: SSHError.self) { try session.upload([1, 2, 3], to: pipe.string) }
        #expect(error?.summary.contains("moved nothing") == true)
    }
}
