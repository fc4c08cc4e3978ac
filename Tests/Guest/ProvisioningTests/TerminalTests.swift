import Glibc
import LinuxSystem
import Reporting
import SSH
import SSHTestServer
import SystemPackage
import TestSupport
import Testing

@testable import Provisioning

/// Steps that have a terminal, on real servers.
@Suite(.enabled(if: getuid() == 0, "only root gives a user of the server's another shell or sudoers"))
struct TerminalTests {
    let key: SSHKeyPair
    init() throws { key = try SSHKeyPair.generate(comment: "test") }

    private func step(
        _ script: String, name: String = "one", arguments: [String] = [], environment: [String: String] = [:],
        user: String = "root", timeout: Duration? = nil, hasTerminal: Bool = true
    ) -> ProvisioningStep {
        var action = ShellAction(
            script: .bytes(Array(script.utf8)), arguments: arguments, environment: environment, user: user,
            timeout: timeout)
        action.hasTerminal = hasTerminal
        return ProvisioningStep(name: name, action: .shell(action))
    }

    /// The lines that the steps print.
    private func run(_ steps: [ProvisioningStep], on server: TestServer) throws -> [String] {
        var lines: [String] = []
        let plan = try ProvisioningPlan(steps, records: [], selection: .needed, isStart: true)
        let run = ProvisioningRun(over: try server.logIn(key)) { event in
            if case .output(_, _, let line) = event { lines.append(line) }
        }
        try run.run(plan) { _ in }
        return lines
    }

    @Test(
        "input and outputs are a terminal of a usual size, whose session the script is in", arguments: TestServer.kinds)
    func terminal(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let script = """
            test -t 0 && test -t 1 && test -t 2 && echo three
            echo "$TERM $(stty size </dev/tty)"
            # Of the terminal's own process group, so that nothing stops it when it changes the terminal.
            stty erase x && echo changed
            """
        #expect(try run([step(script)], on: server) == ["three", "xterm 24 80", "changed"])
        let without = step("test -t 0 || test -t 1 || test -t 2 || echo none", hasTerminal: false)
        #expect(try run([without], on: server) == ["none"])
    }

    @Test(
        "nothing of the script, its arguments or its environment means anything to the terminal",
        arguments: TestServer.kinds)
    func everyByte(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let controls = String(String.UnicodeScalarView((1...127).compactMap { Unicode.Scalar($0) }))
        // Longer than a terminal's line may be, too.
        let long = String(repeating: "0123456789", count: 2000)
        let script = """
            #!/bin/sh
            # \(controls.split(separator: "\n").joined(separator: "\n# "))
            # \(long)
            printf '%s|%s|%s' "$1" "$CONTROLS" "$2" | od -An -v -tx1 | tr -d ' \\n' | fold -w 1000; echo
            echo to the other >&2
            echo end
            """
        let lines = try run(
            [step(script, arguments: [controls, long], environment: ["CONTROLS": controls])], on: server)
        let wanted = hexadecimal("\(controls)|\(controls)|\(long)".utf8)
        #expect(lines.dropLast(2).joined() == wanted)
        #expect(lines.suffix(2) == ["to the other", "end"])
    }

    @Test(
        "output comes as it was printed, and a terminal that the script has changed does no harm",
        arguments: TestServer.kinds)
    func changed(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let steps = [
            step("printf 'a\\nb\\n'; stty sane echo onlcr; printf 'c\\nd\\n'"),
            step("echo next; stty onlcr; exit 0", name: "two"),
            step("echo last", name: "three", hasTerminal: false),
        ]
        #expect(try run(steps, on: server) == ["a", "b", "c", "d", "next", "last"])
    }

    @Test("its exit status and its signal are told", arguments: TestServer.kinds)
    func status(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        #expect(throws: ProvisioningError.stepFailed(step: "one", status: 7, signal: nil, lastLines: ["no"])) {
            try run([step("echo no; exit 7")], on: server)
        }
        #expect(throws: ProvisioningError.stepFailed(step: "one", status: 137, signal: "KILL", lastLines: [])) {
            try run([step("kill -KILL $$")], on: server)
        }
    }

    static let shells = [
        "/bin/bash", "/usr/bin/zsh", "/bin/tcsh", "/bin/bsd-csh", "/usr/bin/fish", "/bin/rbash",
    ]

    @Test("so it is behind any login shell", arguments: shells)
    func loginShells(shell: String) throws {
        let server = try TestServer(accepting: [key.publicKey], shell: shell)
        let script = "test -t 0 && tty | grep -q /dev/pts/ && echo \"it's $1 ! \\\\ $WORD\""
        let lines = try run([step(script, arguments: ["a b"], environment: ["WORD": "!x"])], on: server)
        #expect(lines == ["it's a b ! \\ !x"])
    }

    @Test("a sudo that wants a terminal has one, and takes the script's bytes as they are")
    func sudo() throws {
        let sudoers = "Defaults requiretty\nDefaults use_pty\nroot ALL=(ALL) NOPASSWD: ALL\n"
        let server = try TestServer(accepting: [key.publicKey], files: ["/etc/sudoers": sudoers])
        let script = "sudo -n -u nobody sh -c 'test -t 1 && id -un'; sudo -n echo root"
        #expect(try run([step(script)], on: server) == ["nobody", "root"])
        // The step's own user is reached by it too, over a terminal of sudo's.
        let controls = String(String.UnicodeScalarView((1...127).compactMap { Unicode.Scalar($0) }))
        let bytes = """
            test -t 0 && test -t 1 && id -un
            printf %s "$1" | od -An -v -tx1 | tr -d ' \\n'; echo
            """
        let wanted = hexadecimal(controls.utf8)
        #expect(try run([step(bytes, arguments: [controls], user: "daemon")], on: server) == ["daemon", wanted])
        // Without a terminal it is as it says.
        #expect(throws: ProvisioningError.self) { try run([step(script, hasTerminal: false)], on: server) }
    }

    @Test(
        "it is ended with all that it has started when its time is over", .timeLimit(.minutes(15)),
        arguments: TestServer.kinds, [false, true])
    func timeout(kind: TestServer.Kind, ignores: Bool) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let file = server.home.appending("pids")
        let trap = ignores ? "trap '' HUP TERM\n" : ""
        let script = "\(trap)sleep 300 & echo $$ $! $0 >\(file)\necho begun\nwait"
        #expect(throws: ProvisioningError.stepTimedOut(step: "one", milliseconds: 1500, lastLines: ["begun"])) {
            try run([step(script, timeout: .milliseconds(1500))], on: server)
        }
        let words = String(decoding: try FileSystem.read(file), as: UTF8.self).split(whereSeparator: \.isWhitespace)
        try #require(words.count == 3)
        let pids = words.prefix(2).compactMap { pid_t($0) }
        let folder = FilePath(String(words[2])).removingLastComponent()
        func isOver() -> Bool { pids.allSatisfy { kill($0, 0) == -1 } && FileSystem.isAbsent(folder) }
        for _ in 0..<1000 where !isOver() { usleep(20_000) }
        #expect(isOver())
    }
}
