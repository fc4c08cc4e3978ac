import Glibc
import JSON
import LinuxSystem
import NetworkAddress
import SSH
import SSHTestServer
import SystemPackage
import Testing

@testable import Provider

/// Commands about a machine that runs, of which a real SSH server is the guest; nothing is booted.
@Suite(.enabled(if: getuid() == 0, "steps run as the guest's root, which here is this host's"))
struct GuestCommandTests {
    /// A project with one such machine.
    private final class Guest {
        let folder: ProjectFolder
        let server: TestServer
        private let standIn: GuestStandIn

        init(_ wanderfile: String, _ change: (inout MachineRecord) -> Void = { _ in }) throws {
            folder = try ProjectFolder(wanderfile: "box: team/base\n\(wanderfile)\n")
            let key = try SSHKeyPair.generate(comment: "test")
            server = try TestServer(accepting: [key.publicKey])
            let layout = ProjectLayout(project: folder.path)
            try layout.prepare()
            let machine = layout.machine("default")
            try FileSystem.makeDirectory(machine.path, permissions: 0o700)
            try AtomicFile.write(key.privateKeyText, to: machine.privateKey, permissions: 0o600)
            var record = MachineRecord(
                creating: "default", identifier: randomIdentifier(), provider: .kvm,
                box: .init(name: "team/base", version: "1", architecture: "amd64", digest: nil),
                hardwareAddress: MACAddress(rawValue: 0x5254_0000_0001), user: server.user, at: wallClockSeconds())
            record.started(nil)
            record.ready()
            change(&record)
            try MachineStore(layout: layout).save(record)
            standIn = try GuestStandIn(in: machine.path, leadingTo: server.port)
        }

        deinit { standIn.end() }
    }

    /// A real agent with one key; its socket's path is in SSH_AUTH_SOCK of what it runs.
    private struct Agent {
        let socket: FilePath
        let fingerprint: String
        private let process: AgentProcess

        init(in folder: FilePath) throws {
            socket = folder.appending("agent")
            let file = folder.appending("agent_key")
            let key = try SSHKeyPair.generate(comment: "the agent's")
            fingerprint = key.publicKey.fingerprint
            try AtomicFile.write(key.privateKeyText, to: file, permissions: 0o600)
            process = AgentProcess(try ChildProcess.start(["ssh-agent", "-D", "-a", socket.string], .init()))
            var options = ChildProcess.Options()
            options.environment = ["PATH=\(environmentVariable("PATH") ?? "/usr/bin:/bin")", "SSH_AUTH_SOCK=\(socket)"]
            for _ in 0..<500 where FileSystem.isAbsent(socket) { usleep(10_000) }
            let added = try ChildProcess.run(["ssh-add", "-q", file.string], options)
            try #require(added.outcome.isSuccess, "\(String(decoding: added.error, as: UTF8.self))")
        }

        private final class AgentProcess {
            private let child: ChildProcess
            init(_ child: consuming ChildProcess) { self.child = child }
            deinit {
                child.signal(SIGKILL)
                _ = try? child.wait()
            }
        }
    }

    @Test("the user's agent is in the machine for 'ssh -c' where the Wanderfile says so", arguments: [true, false])
    func agent(isForwarded: Bool) throws {
        let guest = try Guest("ssh: { forward_agent: \(isForwarded) }")
        let agent = try Agent(in: guest.folder.path)
        var wander = guest.folder.wander
        wander.environment["SSH_AUTH_SOCK"] = agent.socket.string
        let result = try wander.run("ssh", "-c", "ssh-add -l; echo ended")
        #expect(result.status == 0, "\(result.error)")
        #expect(result.output.contains(agent.fingerprint) == isForwarded, "\(result.output)")
        #expect(result.output.hasSuffix("ended\n"))
    }

    @Test("no step ever gets the user's agent")
    func agentOfSteps() throws {
        let guest = try Guest(
            """
            ssh: { forward_agent: true }
            provision:
              - { name: plain, run: 'echo "agent: ${SSH_AUTH_SOCK:-none}"' }
              - { name: terminal, run: 'echo "agent: ${SSH_AUTH_SOCK:-none}"', tty: true }
            """)
        let agent = try Agent(in: guest.folder.path)
        var wander = guest.folder.wander
        wander.environment["SSH_AUTH_SOCK"] = agent.socket.string
        let result = try wander.run("provision")
        #expect(result.status == 0, "\(result.error)")
        #expect(result.error.split(separator: "\n").count { $0.hasSuffix("agent: none") } == 2, "\(result.error)")
        #expect(!result.error.contains("agent: /"))
    }

    @Test("a fixed port is what other tools are told; without one they get a command")
    func sshConfig() throws {
        let fixed = try Guest("ssh: { port: 22991 }") {
            $0.joined(
                internet: true, subnet: "10.77.0.0/24",
                forwards: [
                    .init(name: "ssh", transport: .tcp, bind: "127.0.0.1", hostPort: 22991, guestPort: 22),
                    .init(name: nil, transport: .tcp, bind: "127.0.0.1", hostPort: 22992, guestPort: 22),
                ])
        }
        let lines = try fixed.folder.wander.run("ssh-config").output.split(separator: "\n").map(String.init)
        #expect(lines.first == "Host default")
        #expect(lines.contains("  HostName 127.0.0.1") && lines.contains("  Port 22991"), "\(lines)")
        #expect(!lines.contains { $0.contains("ProxyCommand") })
        let without = try Guest("cpus: 1")
        let block = try without.folder.wander.run("ssh-config").output
        #expect(block.contains("  HostName default\n") && block.contains("  ProxyCommand "), "\(block)")
    }

    @Test("a port of the guest may be named after the machine, or alone")
    func port() throws {
        let guest = try Guest("cpus: 1") {
            $0.joined(
                internet: true, subnet: "10.77.0.0/24",
                forwards: [
                    .init(name: nil, transport: .tcp, bind: "127.0.0.1", hostPort: 8053, guestPort: 53),
                    .init(name: nil, transport: .udp, bind: "127.0.0.1", hostPort: 5353, guestPort: 53),
                ])
        }
        defer { withExtendedLifetime(guest) {} }
        let wander = guest.folder.wander
        for words in [["default", "53"], ["53"], ["--guest", "53"], ["default", "53/tcp"]] {
            #expect(try wander.run(words: ["port"] + words).output == "8053\n", "\(words)")
        }
        #expect(try wander.run("port", "53/udp").output == "5353\n")
        let missing = try wander.run("port", "default", "80")
        #expect(missing.status == 3)
        #expect(missing.error.contains("no port of the host leads to port 80 of default" as String), "\(missing.error)")
        #expect(try wander.run("port", "default", "80", "--guest", "80").status == 64)
        #expect(try wander.run("port", "default", "none").status == 64)
    }

    @Test("folders are copied as cp(1) copies them, in both directions")
    func folders() throws {
        let guest = try Guest("cpus: 1")
        defer { withExtendedLifetime(guest) {} }
        let wander = guest.folder.wander
        let home = guest.server.home
        try AtomicFile.write("one", to: guest.folder.path.appending("file"))
        try FileSystem.makeDirectory(guest.folder.path.pushing("site/deeper"))
        func copy(_ words: String...) throws {
            let result = try wander.run(words: words)
            #expect(result.status == 0, "\(words): \(result.error)")
        }
        func names(_ folder: FilePath) throws -> [String] {
            try FileSystem.list(folder).filter { !$0.hasPrefix(".") }.sorted()
        }
        try FileSystem.makeDirectory(home.appending("there"))
        try copy("upload", "site", "default:~/there/")
        #expect(try names(home.appending("there")) == ["site"])
        try copy("upload", "site/", "default:~/new")
        #expect(try names(home.appending("new")) == ["deeper"])
        try copy("upload", "site", "default:~/new")
        #expect(try names(home.appending("new")) == ["deeper", "site"])
        try copy("upload", "site/.", "default:~/there")
        #expect(try names(home.appending("there")) == ["deeper", "site"])
        let here = guest.folder.path.appending("back")
        for _ in 0..<2 { try copy("download", "default:~/new", "back") }
        #expect(try names(here) == ["deeper", "new", "site"])
        #expect(try names(here.appending("new")) == ["deeper", "site"])
        // The same place each time, where none is named.
        for _ in 0..<2 { try copy("download", "~/there") }
        #expect(try names(guest.folder.path.appending("there")) == ["deeper", "site"])
        try copy("download", "~/there/.", "back")
        #expect(try names(here) == ["deeper", "new", "site"])
    }

    @Test("a file of the guest goes to standard output, and nothing beside it; a folder is refused")
    func standardOutput() throws {
        let guest = try Guest("cpus: 1")
        defer { withExtendedLifetime(guest) {} }
        let wander = guest.folder.wander
        try AtomicFile.write("no line break", to: guest.server.home.appending("file"))
        let result = try wander.run("download", "default:~/file", "-")
        #expect(result.status == 0 && result.output == "no line break", "\(result.error)")
        #expect(result.error.isEmpty)
        #expect(FileSystem.isAbsent(guest.folder.path.appending("-")))
        let folder = try wander.run("download", "~", "-")
        #expect(folder.status == 1)
        #expect(folder.error.contains("only a file can go to standard output"), "\(folder.error)")
        #expect(try wander.run("download", "~/file", "-", "--json").status == 64)
        let upload = try wander.run("upload", "-", "default:/tmp/file")
        #expect(upload.status == 64)
        #expect(upload.error.contains("wander ssh default -c 'cat >/tmp/file' <FILE"), "\(upload.error)")
    }

    @Test("a step without a name is called by what it does, one with a name by that, a sensitive one by its number")
    func steps() throws {
        let guest = try Guest(
            """
            provision:
              - run: |
                  # The first line that does something.
                  set -eu
                  echo   one
                  echo two
              - { name: named, run: "true" }
              - { run: "echo shown-nowhere", sensitive: true, env: { TOKEN: shown-never } }
              - { run: "test shown-never = '' # it fails" }
            """)
        defer { withExtendedLifetime(guest) {} }
        let result = try guest.folder.wander.run("provision")
        #expect(result.status == 9)
        for line in [
            "provisioning 1/4: echo one ... (it has not run yet)", "provisioning 2/4: named (it has not run yet)",
            "provisioning 3/4: step-3 (it has not run yet)", "provisioning 4/4: test *** = '' # it fails (",
            "provisioning step 'test *** = '' # it fails' failed",
        ] {
            #expect(result.error.contains(line), "\(result.error)")
        }
        #expect(!result.error.contains("shown-n"), "\(result.error)")
        let again = try guest.folder.wander.run("provision", "--provision-with", "step-1")
        #expect(again.status == 0, "\(again.error)")
        #expect(again.error.contains("two\n"), "\(again.error)")
        // Last: it brings up the network that no guest of a test has, and with that another way to the guest.
        let status = try guest.folder.wander.run("status")
        #expect(status.output.contains("failed: test *** = '' # it fails"), "\(status.output)")
    }

    @Test("status says which command works on a machine, and what becomes of it")
    func busy() throws {
        let guest = try Guest("cpus: 1")
        defer { withExtendedLifetime(guest) {} }
        let wander = guest.folder.wander
        #expect(try wander.run("status", "--json").json?["machines"]?.arrayValue?.first?["command"] == .null)
        let lock = try CommandLock.take(
            "default", in: ProjectLayout(project: guest.folder.path), command: "wander package --output a.box", wait: 0,
            cancellation: Cancellation())
        let words = "being packaged by 'wander package --output a.box' (process \(currentProcessIdentifier()))"
        #expect(try wander.run("status").output.contains(words))
        let command = try wander.run("status", "--json").json?["machines"]?.arrayValue?.first?["command"]
        #expect(command?["command"] == "wander package --output a.box")
        #expect(command?["process"] == .integer(Int64(currentProcessIdentifier())))
        lock.release()
        #expect(try !wander.run("status").output.contains("package"))
    }

    @Test("ssh(1) is asked to tell of connections that the guest's server refuses, where it is to carry some")
    func refusedConnections() throws {
        let guest = try Guest("cpus: 1")
        defer { withExtendedLifetime(guest) {} }
        let bin = guest.folder.path.appending("bin")
        try FileSystem.makeDirectory(bin)
        try AtomicFile.write("#!/bin/sh\nprintf '%s\\n' \"$@\"\n", to: bin.appending("ssh"), permissions: 0o755)
        var wander = guest.folder.wander
        wander.environment["PATH"] = "\(bin):/usr/bin:/bin"
        let carrying = try wander.run("ssh", "--", "-N", "-L", "8080:localhost:80").output.split(separator: "\n")
        #expect(carrying.contains("LogLevel=INFO") && !carrying.contains("LogLevel=ERROR"), "\(carrying)")
        #expect(try wander.run("ssh", "--", "-T").output.split(separator: "\n").contains("LogLevel=ERROR"))
    }
}
