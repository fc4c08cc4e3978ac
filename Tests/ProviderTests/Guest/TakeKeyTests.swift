import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

/// The boxes' own script that takes the machine's key at boot, run by this host's shells in folders of the test's own.
@Suite struct TakeKeyTests {
    private static let boxes = FilePath(#filePath).pushing("../../../../boxes").lexicallyNormalized()
    private static let own = "AAAAC3NzaC1lZDI1NTE5AAAAITestTestTestTestTestTestTestTestTestTestTest"
    private let folder: TemporaryFolder
    private let wellKnown: String

    init() throws {
        folder = try TemporaryFolder()
        wellKnown = try Self.text(Self.boxes.appending("keys/authorized_keys"))
    }

    private static func text(_ path: FilePath) throws -> String {
        String(decoding: try FileSystem.read(path, limit: 1 << 16), as: UTF8.self)
    }

    private var keys: FilePath { folder("authorized_keys") }

    /// Runs the script as a guest with the given kernel command line does.
    private func boot(_ commandLine: String, _ shell: String) throws {
        try AtomicFile.write(commandLine + "\n", to: folder("cmdline"))
        // Nobody else's files: the places are this test's, and the owner stays who he is.
        let script = try Self.text(Self.boxes.appending("lib/take-key"))
            .replacing("/proc/cmdline", with: folder("cmdline").string)
            .replacing("/home/vagrant/.ssh/authorized_keys", with: keys.string)
            .replacing("/usr/lib/wander/well-known-keys", with: "\(Self.boxes)/keys/authorized_keys")
            .replacing("-w /etc/shadow", with: "-w \(folder("nothing"))")
        #expect(!script.contains("/home/") && !script.contains("/etc/"))
        let result = try ChildProcess.run(shell.split(separator: " ").map(String.init) + ["-c", script])
        #expect(result.outcome == .exited(0) && result.output.isEmpty && result.error.isEmpty)
    }

    @Test("the machine's key replaces the well-known ones, once", arguments: ["dash", "bash", "busybox sh"])
    func exchange(_ shell: String) throws {
        try AtomicFile.write("\(wellKnown)\n# a note\nssh-ed25519 AAAATheUsersOwn me@home", to: keys)
        let expected = "# a note\nssh-ed25519 AAAATheUsersOwn me@home\nssh-ed25519 \(Self.own) wander\n"
        for _ in 0..<2 {
            try boot("quiet wander.key=\(Self.own) root=/dev/vda", shell)
            #expect(try Self.text(keys) == expected)
            #expect(try FileSystem.status(keys)?.permissions == 0o600)
        }
    }

    @Test("without a key that is one, the file stays as it is", arguments: ["dash", "bash", "busybox sh"])
    func nothing(_ shell: String) throws {
        try AtomicFile.write(wellKnown, to: keys)
        for word in ["", "wander.key=", "wander.key=AAAAB3NzaC1yc2E", "wander.key=\(Self.own)$(touch x)"] {
            try boot("quiet \(word) *", shell)
            #expect(try Self.text(keys) == wellKnown, "\(word)")
        }
        // Nor does a file without any well-known key gain one.
        try AtomicFile.write("ssh-ed25519 AAAATheUsersOwn me\n", to: keys)
        try boot("wander.key=\(Self.own)", shell)
        #expect(try Self.text(keys) == "ssh-ed25519 AAAATheUsersOwn me\n")
    }

    @Test("a link is not followed", arguments: ["dash", "bash", "busybox sh"])
    func link(_ shell: String) throws {
        try AtomicFile.write(wellKnown, to: folder("elsewhere"))
        #expect(symlink(folder("elsewhere").string, keys.string) == 0)
        try boot("wander.key=\(Self.own)", shell)
        #expect(try Self.text(folder("elsewhere")) == wellKnown)
    }
}
