import Glibc
import LinuxSystem
import SSH
import SystemPackage
import TestSupport
import Testing

@testable import Provisioning

/// The scripts for guests, run by this host's shells in folders of the test's own.
@Suite struct GuestScriptTests {
    static let shells = ["dash", "bash --posix", "busybox sh"]
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func words(_ file: [UInt8], _ arguments: [String], by shell: String) -> [String] {
        shell.split(separator: " ").map(String.init) + ["-c", BuiltInScript.text(file), "sh"] + arguments
    }

    private func runner(_ shell: String, preparing preparation: String = "") -> [String] {
        words(PackageResources.run_script_sh, [folder("run").string, "", preparation], by: shell)
    }

    /// What the runner gets: the size may not be the script's own.
    private func input(_ script: String, count: Int? = nil) -> [UInt8] {
        let header = "mark \(count ?? script.utf8.count)\nset -- $session sh \(folder("run"))/script; exec \"$@\"\n"
        return Array((header + script).utf8)
    }

    @Test("a script's status is told on both outputs, after what it said", arguments: shells)
    func status(_ shell: String) throws {
        let file = try folder.file("input", input("echo out; echo err >&2; cat; exit 7"))
        #expect(mkfifo(folder("pipe").string, 0o600) == 0)
        // The pipe has its reader as a writer, too: like a connection, it does not end.
        let hold = #"exec <>"$1"; cat "$2" >"$1"; shift 2; exec "$@""#
        let result = try ChildProcess.run(
            ["sh", "-c", hold, "sh", folder("pipe").string, file.string] + runner(shell, preparing: "echo ready"))
        #expect(result.outcome == .exited(77))
        #expect(String(decoding: result.output, as: UTF8.self) == "ready\n\(folder("run"))\nout\nmark 7\n")
        #expect(String(decoding: result.error, as: UTF8.self) == "err\nmark 7\n")
        #expect(FileSystem.isAbsent(folder("run")))
    }

    @Test("a script ends when its connection does", arguments: shells)
    func end(_ shell: String) throws {
        let result = try ChildProcess.run(runner(shell), input: input("sleep 600"))
        #expect(result.outcome == .exited(77))
        #expect(String(decoding: result.output, as: UTF8.self) == "mark 143\n")
        #expect(FileSystem.isAbsent(folder("run")))
    }

    @Test("a script of which a part is missing does not run", arguments: shells)
    func part(_ shell: String) throws {
        let result = try ChildProcess.run(runner(shell), input: input("echo out", count: 20))
        #expect(result.outcome == .exited(125) && result.output.isEmpty)
        #expect(String(decoding: result.error, as: UTF8.self) == "the connection broke\n")
        #expect(FileSystem.isAbsent(folder("run")))
    }

    @Test("an address is asked by curl, else by wget, else the script says what it lacks", arguments: shells)
    func address(_ shell: String) throws {
        try FileSystem.makeDirectory(folder("bin"))
        var options = ChildProcess.Options()
        options.environment = ["PATH=\(folder("bin"))", "URL=https://localhost/x y"]
        let program = try #require(findExecutable(String(shell.prefix { $0 != " " })))
        func answer() throws -> (ChildProcess.Outcome, String) {
            var command = words(PackageResources.probe_address_sh, [], by: shell)
            command[0] = program
            let result = try ChildProcess.run(command, options)
            return (result.outcome, String(decoding: result.output, as: UTF8.self))
        }
        #expect(try answer() == (.exited(1), "this probe needs curl or wget in the guest\n"))
        for (name, options) in [("wget", "-q -O /dev/null"), ("curl", "-sS -o /dev/null --fail")] {
            try AtomicFile.write(
                "#!/bin/sh\necho \"\(name) $*\"\n", to: folder("bin").appending(name), permissions: 0o755)
            #expect(try answer() == (.exited(0), "\(name) \(options) https://localhost/x y\n"))
        }
    }

    @Test("a guest without systemd that does not end what waits is not going down", arguments: shells)
    func shutdown(_ shell: String) throws {
        let file = Array(
            BuiltInScript.text(PackageResources.watch_shutdown_sh)
                .replacing("/run/systemd/system", with: folder("systemd").string).utf8)
        let waited = try ChildProcess.run(words(file, ["0"], by: shell))
        #expect(waited.output == Array("waited\n".utf8))
        var options = ChildProcess.Options()
        try AtomicFile.write("#!/bin/sh\nkill -TERM $$\n", to: folder("sleep"), permissions: 0o755)
        options.environment = ["PATH=\(folder.path):/usr/bin:/bin"]
        #expect(try ChildProcess.run(words(file, ["0"], by: shell), options).output.isEmpty)
    }
}
