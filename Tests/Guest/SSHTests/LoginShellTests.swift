import Glibc
import LinuxSystem
import SSHTestServer
import SystemPackage
import TestSupport
import Testing

@testable import SSH

/// Users whose login shell is not a POSIX one, or says, asks and does things of its own.
@Suite(.enabled(if: getuid() == 0, "only root gives a user of the server's another shell")) struct LoginShellTests {
    /// A shell, and a start file of its that prints, asks and leaves something for the end.
    struct Shell: Sendable, CustomTestStringConvertible {
        var program: String
        var startFile = ""
        var text = ""
        var testDescription: String { program }
    }

    private static let posix = """
        echo 'Welcome!'; echo 'no mail' >&2; trap 'echo Bye; echo bye >&2' EXIT; read -r answer
        """
    static let shells = [
        Shell(program: "/bin/sh"),
        Shell(program: "/bin/bash", startFile: ".bashrc", text: posix),
        Shell(program: "/bin/bash", startFile: ".bashrc", text: "set -xv; echo '\u{1b}]0;title'"),
        Shell(program: "/bin/rbash", startFile: ".bashrc", text: "echo Welcome; PATH=/usr/bin"),
        Shell(program: "/usr/bin/zsh", startFile: ".zshenv", text: posix + "; setopt noclobber shwordsplit"),
        Shell(program: "/bin/bsd-csh", startFile: ".cshrc", text: "echo 'Welcome!'\nset answer = $<"),
        Shell(program: "/bin/tcsh", startFile: ".tcshrc", text: "set echo verbose\necho Welcome\nset answer = $<"),
        Shell(
            program: "/usr/bin/fish", startFile: ".config/fish/config.fish",
            text: "echo Welcome; read answer; function bye --on-event fish_exit; echo Bye; end"),
        Shell(program: "/bin/busybox sh"),
        Shell(program: "wrapper"),
    ]

    /// A login shell that is a script: prints, asks, ignores signals, runs the real one as a child, and has the last
    /// word.
    private static let wrapper = """
        #!/bin/bash
        trap '' TERM INT HUP PIPE
        echo "Welcome to $HOSTNAME"; echo 'accept the rules?' >&2
        read -r answer
        bash "$@"
        echo 'Good bye'; echo 'status: 0' >&2
        """

    private static func server(_ shell: Shell, _ key: SSHKeyPair, kind: TestServer.Kind = .openSSH) throws -> TestServer
    {
        let place = try TemporaryFolder()
        var program = shell.program
        if !program.hasPrefix("/") || program.contains(" ") {
            program = place("shell").string
            let text = shell.program.hasPrefix("/") ? "#!/bin/sh\nexec \(shell.program) \"$@\"\n" : wrapper
            try AtomicFile.write(text, to: place("shell"), permissions: 0o755)
        }
        let server = try TestServer(kind, accepting: [key.publicKey], shell: program)
        server.keep(place)
        if !shell.startFile.isEmpty {
            let file = server.home.pushing(FilePath(shell.startFile))
            try FileSystem.makeDirectory(file.removingLastComponent())
            try AtomicFile.write(shell.text + "\n", to: file)
        }
        return server
    }

    private static let odd = [
        "", "it's", "wow! !! !x", "back\\slash \\\\ \\' \\n", "$HOME ${x} `id` $(id)", "two\nlines\r\n",
        "% * ? [a] {b,c} ~ #",
        "\"double\"", "'\u{301}; echo no", "-n", String(repeating: "long ' ", count: 700),
    ]

    @Test("a script gets its arguments and its input, and is alone with what it says", arguments: shells)
    func script(shell: Shell) throws {
        let key = try SSHKeyPair.generate(comment: "test")
        let server = try Self.server(shell, key)
        let session = try server.logIn(key)
        let text = """
            for word; do printf '%s\\0' "$word"; done
            # It's a comment! With \\ and "quotes".
            cat; echo 'to the other!' >&2; exit 7
            """
        let input = randomBytes(count: 300_000)
        let result = try session.collect(ShellScript(text, Self.odd), input: .bytes(input))
        #expect(result.outcome == .exited(7))
        let isExpected = result.output == Self.odd.flatMap { Array($0.utf8) + [0] } + input
        #expect(isExpected)
        #expect(String(decoding: result.error, as: UTF8.self) == "to the other!\n")
        #expect(try session.run(ShellScript("exit 0")).isSuccess)
    }

    @Test("files go in and come back as they are", arguments: shells)
    func transfers(shell: Shell) throws {
        let key = try SSHKeyPair.generate(comment: "test")
        let server = try Self.server(shell, key)
        let session = try server.logIn(key)
        let folder = try TemporaryFolder()
        let content = randomBytes(count: 100_000)
        try FileSystem.makeDirectory(folder("tree/sub"))
        try AtomicFile.write(content, to: folder("tree/sub/it's! a\\b"))
        try session.upload(folder("tree"), to: "~/there", UploadOptions(owner: "daemon:daemon"))
        try session.upload(folder("tree/sub/it's! a\\b"), to: "~/a!'\\ file")
        #expect(try FileSystem.read(server.home.appending("a!'\\ file")) == content)
        try session.download("~/a!'\\ file", to: folder("file"))
        try session.download("~/there", to: folder("back"))
        try session.download("/proc/version", to: folder("version"))
        #expect(try FileSystem.read(folder("file")) == content)
        #expect(try FileSystem.read(folder("back/sub/it's! a\\b")) == content)
        #expect(try FileSystem.read(folder("version")) == FileSystem.read("/proc/version"))
    }

    @Test("another user, the environment and first contact", arguments: shells)
    func others(shell: Shell) throws {
        let key = try SSHKeyPair.generate(comment: "test")
        let server = try Self.server(shell, key)
        let session = try server.logIn(key)
        let said = try session.collect(ShellScript("id -un; printf '%s|' \"$@\"; cat", Self.odd, as: "daemon"))
        #expect(said.outcome.isSuccess)
        #expect(said.output == Array(("daemon\n" + Self.odd.map { $0 + "|" }.joined()).utf8))
        var command = SSHCommand("printenv ONE; printenv TWO")
        command.environment = [("ONE", "it's! \\ \"q\" $HOME"), ("TWO", "two\nlines")]
        let environment = String(decoding: try session.collect(command).output, as: UTF8.self)
        #expect(environment.contains("it's! \\ \"q\" $HOME\n"), "\(environment)")
        #expect(environment.contains("two\nlines\n"), "\(environment)")
        let new = try SSHKeyPair.generate(comment: "new")
        let port = server.transport
        let second = try SecondConnection(user: server.user, key: new) { () throws(SSHError) in try port.connect() }
        _ = try FirstContact.exchange(session, key: new.publicKey, proof: second, start: {}, finish: { _ in })
        try server.logIn(new).close()
    }

    @Test("a command line for ssh(1)", arguments: shells)
    func commandLine(shell: Shell) throws {
        let key = try SSHKeyPair.generate(comment: "test")
        let server = try Self.server(shell, key)
        let session = try server.logIn(key)
        let text = Self.odd.map { "printf '%s|' \(ShellQuoting.quote($0))" }.joined(separator: "\n")
        let result = try session.collect(SSHCommand(ShellScript.commandLine(text)))
        let said = String(decoding: result.output, as: UTF8.self)
        #expect(said.contains(Self.odd.map { $0 + "|" }.joined()))
    }

    @Test("dropbear's users", arguments: [shells[4], shells[5], shells[7], shells[9]])
    func dropbear(shell: Shell) throws {
        let key = try SSHKeyPair.generate(comment: "test")
        let server = try Self.server(shell, key, kind: .dropbear)
        let session = try server.logIn(key)
        // More than dropbear takes for a command.
        let long = String(repeating: "it's long! ", count: 2000)
        for _ in 0..<3 {
            let result = try session.collect(ShellScript("printf %s \"$1\"; cat", [long]), input: .bytes([1, 2, 3]))
            #expect(result.outcome == .exited(0) && result.output == Array(long.utf8) + [1, 2, 3])
        }
    }

    @Test("processes that are left behind hold nothing up, and live on")
    func background() throws {
        let key = try SSHKeyPair.generate(comment: "test")
        let server = try Self.server(Self.shells[9], key)
        let session = try server.logIn(key)
        let result = try session.collect(ShellScript("sleep 300 & echo $!"))
        #expect(result.outcome.isSuccess)
        let number = String(decoding: result.output, as: UTF8.self).dropLast()
        #expect(try session.run(ShellScript("kill -s KILL \"$1\"", [String(number)])).isSuccess)
    }

    @Test("a user who may run nothing is told so", arguments: TestServer.kinds)
    func nologin(kind: TestServer.Kind) throws {
        let key = try SSHKeyPair.generate(comment: "test")
        let server = try TestServer(kind, accepting: [key.publicKey], shell: "/usr/sbin/nologin")
        let session = try server.logIn(key)
        let error = #expect(throws: SSHError.self) { try session.run(ShellScript("true")) }
        guard case .noShell(1, let said) = error else {
            throw TestServer.Failure(reason: "\(String(describing: error))")
        }
        #expect(said.contains("not available"))
    }

    @Test("a shell that never gets anywhere ends at its limit, and one that is cut off is no success")
    func stuck() throws {
        let key = try SSHKeyPair.generate(comment: "test")
        let server = try Self.server(
            Shell(program: "/bin/bash", startFile: ".bashrc", text: "while read -r line; do :; done"), key)
        var options = SSHSession.Options()
        options.answerMilliseconds = 2000
        let session = try server.logIn(key, options)
        #expect(throws: SSHError.timedOut(.channel, milliseconds: 2000)) { try session.run(ShellScript("true")) }
        session.close()
        let other = try Self.server(Self.shells[9], key)
        #expect(try other.logIn(key).run(ShellScript("kill -s KILL $$")) == .unknown)
    }

    @Test("sudo that wants a terminal", arguments: [true, false])
    func requiretty(hasScript: Bool) throws {
        let key = try SSHKeyPair.generate(comment: "test")
        var files = ["/etc/sudoers": "Defaults requiretty\nroot ALL=(ALL) ALL\n"]
        if !hasScript { files["/usr/bin/script"] = "" }
        let server = try TestServer(accepting: [key.publicKey], files: files)
        let session = try server.logIn(key)
        let input = randomBytes(count: 100_000)
        let text = "id -un; printf '%s|' \"$@\"; cat; echo err >&2; exit 9"
        let result = try session.collect(ShellScript(text, Self.odd, as: "daemon"), input: .bytes(input))
        if hasScript {
            #expect(result.outcome == .exited(9))
            let expected = Array(("daemon\n" + Self.odd.map { $0 + "|" }.joined()).utf8) + input
            let isExpected = result.output == expected
            #expect(isExpected)
            #expect(String(decoding: result.error, as: UTF8.self).hasSuffix("err\n"))
        } else {
            #expect(result.outcome == .exited(126))
            #expect(String(decoding: result.error, as: UTF8.self).contains("Defaults !requiretty"))
        }
        // The script's own failure is no such thing.
        if hasScript { #expect(try session.run(ShellScript("exit 1", as: "daemon")) == .exited(1)) }
    }
}
