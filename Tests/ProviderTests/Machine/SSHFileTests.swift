import BoxFormat
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// `wander ssh` where it becomes ssh(1), for which a script stands.
@Suite struct SSHFileTests {
    @Test("a machine's environment is in a file of the user's own, and in nobody's arguments")
    func environment() throws {
        let fixture = try MachineFixture()
        let journal = fixture.machine.journal(try fixture.create())
        try journal.write { $0.started(nil) }
        try journal.write { $0.ready() }
        let folder = fixture.machine.folder
        let lock = try OwnedDescriptor.open(folder.livenessLock, [.readWrite, .create])
        #expect(try OpenFileLock.tryLock(lock, .exclusive))
        // Of letters alone, which no coding on the way changes.
        let secret = "tops" + "ecret"
        _ = try fixture.folder.file(
            "project/Wanderfile", Array("box: test/disk\nprovider: emulation\nenv: { TOKEN: \(secret) }\n".utf8))
        let script = """
            #!/bin/sh
            printf '%s\\n' "$@" >"$OUT/words"
            while [ "$1" != -F ]; do shift || exit 1; done
            cp -p "$2" "$OUT/config"

            """
        let ssh = try fixture.folder.file("bin/ssh", Array(script.utf8))
        try FileSystem.setPermissions(ssh, 0o755)
        var options = ChildProcess.Options()
        options.directory = fixture.folder("project")
        options.environment = [
            "PATH=\(fixture.folder("bin")):/usr/bin:/bin", "OUT=\(fixture.folder.path)", "HOME=\(fixture.folder.path)",
            "WANDER_HOME=\(fixture.store.root)",
        ]
        let wander = fixture.project.settings.programs.appending("wander").string
        func run() throws {
            let result = try ChildProcess.run([wander, "ssh", "-c", "true", "--", "-v"], options)
            #expect(result.outcome.isSuccess, "\(String(decoding: result.error, as: UTF8.self))")
        }
        func files() throws -> [String] { try FileSystem.list(folder.path).filter { $0.hasPrefix("ssh_config") } }
        try run()
        let words = String(decoding: try FileSystem.read(fixture.folder("words")), as: UTF8.self)
        #expect(!words.contains(secret))
        #expect(words.split(separator: "\n").suffix(2) == ["default", "-v"])
        let config = fixture.folder("config")
        #expect(String(decoding: try FileSystem.read(config), as: UTF8.self).contains(secret))
        #expect(try FileSystem.status(config)?.permissions == 0o600)
        // None stays for long: neither where more of them are made, nor where the machine is changed.
        let file = folder.path.appending(try #require(try files().first))
        #expect(try ChildProcess.run(["touch", "-d", "2 minutes ago", file.string]).outcome.isSuccess)
        try run()
        #expect(try files().count == 1)
        try fixture.project.layout.removeLeftovers(of: "default")
        #expect(try files().isEmpty)
        lock.close()
    }
}
