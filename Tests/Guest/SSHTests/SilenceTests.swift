import Glibc
import LinuxSystem
import SSHTestServer
import SystemPackage
import TestSupport
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
        options.answerMilliseconds = 1000
        session = try server.logIn(key, options)
        // So that each test has an end. What ends by this says nothing of a second.
        session.deadline = .now.advanced(byMilliseconds: 30_000)
    }

    /// How a transfer ends that the guest does not go on with.
    private func stalled(_ path: FilePath) -> SSHError {
        .transferFailed(path: path.string, reason: "the guest has moved nothing for 1 s")
    }

    @Test("a short command that says nothing ends the wait for it, named")
    func command() throws {
        let process = try session.start(ShellScript("sleep 60"))
        #expect(throws: SSHError.noAnswer(command: "get ready", milliseconds: 1000)) {
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
        #expect(throws: stalled(pipe)) { try session.upload([1, 2, 3], to: pipe.string) }
    }

    @Test("a download that brings nothing ends, and leaves nothing behind")
    func download() throws {
        // Nobody writes to the pipe in the guest.
        let pipe = server.home.appending("pipe")
        #expect(mkfifo(pipe.string, 0o600) == 0)
        let folder = try TemporaryFolder()
        #expect(throws: stalled(pipe)) { try session.download(pipe.string, to: folder("copy")) }
        #expect(try FileSystem.list(folder.path).isEmpty)
    }

    @Test("an archive that nobody unpacks ends, named by its path")
    func archive() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("sparse", [1])
        try OwnedDescriptor.open(file, .readWrite).truncate(to: 8 << 20)
        // What arrives is to go into the pipe, which nobody reads.
        let pipe = server.home.appending("pipe")
        #expect(mkfifo(pipe.string, 0o600) == 0)
        #expect(throws: stalled(pipe)) { try session.upload(file, to: pipe.string) }
    }

    @Test(
        "a tar(1) that hangs is not waited for without end",
        .enabled(if: getuid() == 0, "only root shows a user of the server's other programs"))
    func hangingTar() throws {
        var options = SSHSession.Options()
        options.answerMilliseconds = 1000
        let server = try TestServer(accepting: [key.publicKey], files: ["/usr/bin/tar": "#!/bin/sh\nexec sleep 50\n"])
        let session = try server.logIn(key, options)
        session.deadline = .now.advanced(byMilliseconds: 30_000)
        let folder = try TemporaryFolder()
        _ = try folder.file("file")
        #expect(throws: stalled("~/there")) { try session.upload(folder.path, to: "~/there") }
    }
}
