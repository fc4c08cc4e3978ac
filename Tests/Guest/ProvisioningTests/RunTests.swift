import Glibc
import LinuxSystem
import Reporting
import SSH
import SSHTestServer
import SystemPackage
import TestSupport
import Testing

@testable import Provisioning

/// Steps carried out on a real SSH server.
@Suite struct ProvisioningRunTests {
    let key: SSHKeyPair
    let user: String?
    init() throws {
        key = try SSHKeyPair.generate(comment: "test")
        // The user of the test's server; another one would need root.
        user = getuid() == 0 ? "root" : nil
    }

    /// What a run reports and saves.
    final class Journal {
        var events: [ProvisioningEvent] = []
        var records: [StepRecord] = []
        var lines: [String] { events.compactMap { if case .output(_, _, let line) = $0 { line } else { nil } } }
    }

    private func shell(
        _ script: String, name: String = "one", arguments: [String] = [], environment: [String: String] = [:],
        timeout: Duration? = nil, sensitive: Bool = false
    ) -> ProvisioningStep {
        ProvisioningStep(
            name: name,
            action: .shell(
                ShellAction(
                    script: .bytes(Array(script.utf8)), arguments: arguments, environment: environment, user: user,
                    timeout: timeout)), isSensitive: sensitive)
    }

    @discardableResult
    private func run(
        _ steps: [ProvisioningStep], on server: TestServer, _ journal: Journal = Journal(), secrets: [String] = []
    ) throws -> Journal {
        let session = try server.logIn(key)
        let plan = try ProvisioningPlan(steps, records: journal.records, selection: .needed, isStart: true)
        let run = ProvisioningRun(over: session, masking: Masker(secrets)) { journal.events.append($0) }
        try run.run(plan) { record in
            journal.records.removeAll { $0.name == record.name }
            journal.records.append(record)
        }
        return journal
    }

    @Test(
        "a script that a step replaces by a link is not followed out of what the guest may write to",
        arguments: ["script", "file"])
    func swapped(kind: String) throws {
        let server = try TestServer(accepting: [key.publicKey])
        let folder = try TemporaryFolder()
        let share = folder("share")
        let secret = try folder.file("secret", Array("echo secret\n".utf8))
        let script = try folder.file("share/setup.sh", Array("echo meant\n".utf8))
        let swap = shell("ln -sf \(secret) \(script)", name: "swap")
        let action: ProvisioningStep.Action =
            kind == "script"
            ? .shell(ShellAction(script: .source(script), user: user))
            : .file(FileAction(content: .source(script), path: "\(folder("copy"))", user: user))
        let session = try server.logIn(key)
        let journal = Journal()
        let plan = try ProvisioningPlan(
            [swap, ProvisioningStep(name: "uses", action: action)], records: [], selection: .needed, isStart: true)
        let run = ProvisioningRun(over: session, writable: [share]) { journal.events.append($0) }
        let error = #expect(throws: ProvisioningError.self) { try run.run(plan) { journal.records.append($0) } }
        #expect(error?.kind == .refused && error?.summary.contains("setup.sh leads out of") == true)
        #expect(journal.records.last?.name == "uses" && journal.records.last?.state == .failed)
        #expect(try !journal.lines.contains("secret") && !FileSystem.exists(folder("copy")))
    }

    @Test("a script gets its arguments, its environment and its interpreter", arguments: TestServer.kinds)
    func script(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let journal = try run(
            [
                shell(
                    "#!/bin/bash -e\necho \"$# $1|$2\" \"$GREETING\" \"$BASH_VERSION\" | cut -c1-40; echo err >&2; cat; echo \"$0\"",
                    arguments: ["two words", "it's"], environment: ["GREETING": "he said \"$hi\""])
            ], on: server)
        #expect(journal.lines.contains { $0.hasPrefix("2 two words|it's he said \"$hi\" 5.") })
        #expect(journal.lines.contains("err"))
        let record = try #require(journal.records.first)
        #expect(record.state == .succeeded && record.exitStatus == 0 && record.finished != nil)
        // Nothing of it is left.
        let place = FilePath(try #require(journal.lines.first { $0.hasPrefix("/tmp/wander-") }))
        #expect(try !FileSystem.exists(place.removingLastComponent()))
    }

    @Test("values of several lines arrive as they are", arguments: TestServer.kinds)
    func lines(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let value = "first 'quoted'\r\n\nlast \\n $HOME\n"
        let step = shell(
            "#!/bin/sh\nprintf '%s|%s|' \"$1\" \"$TEXT\" | od -An -v -tx1 | tr -d ' \\n'", arguments: [value],
            environment: ["TEXT": value, "SECOND": "\n"])
        let wanted = hexadecimal("\(value)|\(value)|".utf8)
        #expect(try run([step], on: server).lines == [wanted])
    }

    @Test("a runner that was started ahead prepares the guest and runs one script", arguments: TestServer.kinds)
    func ahead(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let session = try server.logIn(key)
        let file = server.home.appending("prepared")
        let runner = try GuestRunner(
            over: session, as: user, preparing: .init("echo \"$1\" >\(file)", ["yes"], named: "prepare"))
        try runner.awaitPreparation()
        #expect(try FileSystem.read(file) == Array("yes\n".utf8))
        // What comes in between does not disturb it.
        #expect(try session.run(SSHCommand("exit 3")) == .exited(3))
        let journal = Journal()
        let steps = [shell("echo \"$#\" one"), shell("echo two", name: "two")]
        let plan = try ProvisioningPlan(steps, records: [], selection: .needed, isStart: true)
        let run = ProvisioningRun(over: session, by: runner) { journal.events.append($0) }
        try run.run(plan) { _ in }
        #expect(journal.lines == ["0 one", "two"])
        #expect(!runner.isFree)
    }

    @Test("a preparation that fails says what it said")
    func failedPreparation() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let error = #expect(throws: SSHError.self) {
            let preparation = GuestRunner.Preparation("echo no >&2; false", named: "prepare")
            try GuestRunner(over: try server.logIn(key), as: user, preparing: preparation).awaitPreparation()
        }
        #expect(error == .commandFailed(command: "prepare", status: 125, output: "no\n"))
    }

    @Test("a script without an interpreter stops at its first error", arguments: TestServer.kinds)
    func stops(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let journal = Journal()
        let error = #expect(throws: ProvisioningError.self) {
            try run([shell("echo before\nfalse\necho after"), shell("true", name: "two")], on: server, journal)
        }
        #expect(error == .stepFailed(step: "one", status: 1, signal: nil, lastLines: ["before"]))
        #expect(error?.kind == .provisioningFailed)
        #expect(journal.records.map(\.name) == ["one"])
        #expect(journal.records.first?.state == .failed)
        #expect(journal.records.first?.exitStatus == 1)
        // It runs again, and what comes after it too; then neither.
        journal.events = []
        #expect(throws: ProvisioningError.self) { try run([shell("false")], on: server, journal) }
        try run([shell("true"), shell("true", name: "two")], on: server, journal)
        #expect(journal.records.map(\.state) == [.succeeded, .succeeded])
        journal.events = []
        try run([shell("true"), shell("true", name: "two")], on: server, journal)
        #expect(
            journal.events == [.skipped(step: "one", excuse: .succeeded), .skipped(step: "two", excuse: .succeeded)])
    }

    /// dropbear closes a channel that is being opened while it learns of the end of another one's command.
    @Test("many steps in a row that leave processes behind", arguments: TestServer.kinds)
    func manySteps(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let steps = (0..<40).map { shell("sleep 2 & echo \($0)", name: "step \($0)") }
        let journal = try run(steps, on: server)
        #expect(journal.lines == steps.indices.map { "\($0)" })
        #expect(journal.records.allSatisfy { $0.state == .succeeded })
    }

    @Test("tells the signal that ended a script")
    func signal() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let error = #expect(throws: ProvisioningError.self) { try run([shell("kill -KILL $$")], on: server) }
        #expect(error == .stepFailed(step: "one", status: 137, signal: "KILL", lastLines: []))
    }

    @Test("masks secrets in output and errors, and hides a sensitive step whole")
    func secrets() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let journal = Journal()
        let script = shell("set -x\necho \"token=$TOKEN\"\nexit 4", environment: ["TOKEN": "t0ps3cret"])
        let error = #expect(throws: ProvisioningError.self) {
            try run([script], on: server, journal, secrets: ["t0ps3cret"])
        }
        #expect(journal.lines.contains("token=***"))
        #expect(!journal.lines.joined().contains("t0ps3cret"))
        #expect(error?.detail?.contains("t0ps3cret") == false)
        let hidden = Journal()
        let silent = shell("echo visible; exit 5", sensitive: true)
        #expect(throws: ProvisioningError.stepFailed(step: "one", status: 5, signal: nil, lastLines: [])) {
            try run([silent], on: server, hidden)
        }
        #expect(hidden.lines == [])
    }

    @Test("neither script nor environment shows in the guest's process list")
    func processList() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let step = shell("#!/bin/sh\nps axww -o args\necho end", environment: ["TOKEN": "t0ps" + "3cret"])
        let lines = try run([step], on: server).lines
        #expect(lines.last == "end")
        #expect(!lines.joined().contains("t0ps" + "3cret"))
    }

    @Test(
        "a process that is left behind does not hold up the run", .timeLimit(.minutes(15)), arguments: TestServer.kinds)
    func leftBehind(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let file = server.home.appending("pid")
        let journal = try run(
            [shell("sleep 300 & echo $! >\(file)\necho started"), shell("echo next", name: "two")], on: server)
        #expect(journal.lines == ["started", "next"])
        // And it lives on.
        let pid = try #require(pid_t(String(decoding: FileSystem.read(file), as: UTF8.self).split(separator: "\n")[0]))
        #expect(kill(pid, SIGKILL) == 0)
    }

    @Test("a script is ended in the guest when its time is over", .timeLimit(.minutes(15)), arguments: TestServer.kinds)
    func timeout(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let file = server.home.appending("pid")
        let step = shell("echo $$ $0 >\(file)\necho begun\nsleep 300", timeout: .milliseconds(700))
        let error = #expect(throws: ProvisioningError.self) { try run([step], on: server) }
        #expect(error == .stepTimedOut(step: "one", milliseconds: 700, lastLines: ["begun"]))
        try expectEnd(of: file)
    }

    @Test("a script is ended in the guest when wander is interrupted, and counts as cut off", .timeLimit(.minutes(15)))
    func interruption() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let file = server.home.appending("pid")
        let cancellation = try Cancellation()
        var options = SSHSession.Options()
        options.cancellation = cancellation
        let journal = Journal()
        do {
            let session = try server.logIn(key, options)
            let plan = try ProvisioningPlan(
                [shell("echo $$ $0 >\(file)\necho begun\nsleep 300")], records: [], selection: .needed, isStart: true)
            let run = ProvisioningRun(over: session) { event in
                if case .output = event { cancellation.request() }
            }
            let error = #expect(throws: ProvisioningError.self) { try run.run(plan) { journal.records.append($0) } }
            #expect(error?.kind == .interrupted)
        }
        #expect(journal.records.map(\.state) == [.running])
        try expectEnd(of: file)
    }

    /// The script of which `file` holds the process and the folder is gone, and so is the folder.
    private func expectEnd(of file: FilePath) throws {
        let words = String(decoding: try FileSystem.read(file), as: UTF8.self).split(whereSeparator: \.isWhitespace)
        try #require(words.count == 2)
        let (pid, folder) = (try #require(pid_t(words[0])), FilePath(String(words[1])).removingLastComponent())
        for _ in 0..<500 where kill(pid, 0) == 0 || !FileSystem.isAbsent(folder) { usleep(20_000) }
        #expect(kill(pid, 0) == -1)
        #expect(try !FileSystem.exists(folder))
    }

    @Test("a large script with large arguments and output gets through")
    func large() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let script = "# " + String(repeating: "x", count: 400_000) + "\nprintf %s \"$1\" | wc -c\nseq 100000\n"
        let journal = try run([shell(script, arguments: [String(repeating: "a", count: 90_000)])], on: server)
        #expect(journal.lines.count == 100_001)
        #expect(journal.lines.first == "90000" && journal.lines.last == "100000")
    }

    @Test("line breaks of another system do not break a script")
    func lineBreaks() throws {
        let server = try TestServer(accepting: [key.publicKey])
        #expect(try run([shell("#!/bin/sh\r\necho fine\r\n")], on: server).lines == ["fine"])
    }

    @Test("a missing interpreter is said to be missing")
    func interpreter() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let error = #expect(throws: ProvisioningError.self) {
            try run([shell("#!/no/such/interpreter -x\n")], on: server)
        }
        guard case .stepFailed(_, 127, _, let lines) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(lines.joined().contains("/no/such/interpreter"))
    }

    @Test("puts files and folders")
    func files() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let folder = server.directory.path.appending("source")
        try FileSystem.makeDirectory(folder)
        try AtomicFile.write("#!/bin/sh\n", to: folder.appending("tool"), permissions: 0o755)
        let there = server.home.appending("etc")
        let steps = [
            ProvisioningStep(
                name: "text",
                action: .file(
                    FileAction(
                        content: .bytes(Array("x=1\n".utf8)), path: "\(there)/a.conf", permissions: 0o640, user: user))),
            ProvisioningStep(
                name: "folder",
                action: .file(
                    FileAction(content: .source(folder), path: "\(there)/tools", permissions: 0o644, user: user))),
        ]
        let journal = try run(steps, on: server)
        #expect(try FileSystem.read(there.appending("a.conf")) == Array("x=1\n".utf8))
        #expect(try FileSystem.status(there.appending("a.conf"))?.permissions == 0o640)
        #expect(try FileSystem.status(there.appending("tools").appending("tool"))?.permissions == 0o755)
        #expect(journal.records.map(\.state) == [.succeeded, .succeeded])
    }

    @Test("a connection that breaks under a step is no failure of the script's")
    func broken() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let journal = Journal()
        // The server's own process for this connection is an ancestor of the script.
        let script = """
            p=$$
            while [ "$p" -gt 1 ]; do
              p=$(awk '{print $4}' /proc/$p/stat)
              case $(tr '\\0' ' ' </proc/$p/cmdline) in sshd*) kill -9 "$p"; break;; esac
            done
            sleep 60
            """
        let error = #expect(throws: ProvisioningError.self) { try run([shell(script)], on: server, journal) }
        guard case .stepLostGuest("one", let cause) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(cause == .closed(.channel) || cause == .reset(.channel))
        #expect(journal.records.first?.state == .failed)
        // Whoever wrote a step that restarts the guest learns how to say so.
        #expect(error?.remedy?.contains("reboot: true") == true)
    }

    @Test("the first request to stop lets a step end and starts no other; the second cuts it off", arguments: [1, 2])
    func letsEnd(requests: Int) throws {
        let server = try TestServer(accepting: [key.publicKey])
        let cancellation = try Cancellation(lettingEnd: true)
        var options = SSHSession.Options()
        options.cancellation = cancellation
        let session = try server.logIn(key, options)
        let steps = [
            shell("echo begun; sleep \(requests == 1 ? "1" : "300"); echo ended"), shell("echo never", name: "two"),
        ]
        let plan = try ProvisioningPlan(steps, records: [], selection: .needed, isStart: true)
        let journal = Journal()
        let run = ProvisioningRun(over: session) { event in
            journal.events.append(event)
            guard case .output(_, _, "begun") = event else { return }
            #expect(cancellation.letsEnd == ["one"])
            cancellation.request()
            if requests == 2 { cancellation.insistence?.request() }
        }
        let error = #expect(throws: ProvisioningError.self) { try run.run(plan) { journal.records.append($0) } }
        #expect(error?.kind == .interrupted)
        #expect(journal.lines == (requests == 1 ? ["begun", "ended"] : ["begun"]))
        #expect(journal.records.map(\.state) == (requests == 1 ? [.running, .succeeded] : [.running]))
        #expect(cancellation.letsEnd.isEmpty)
    }

    @Test(
        "the first request to stop lets a step's restart end too",
        .enabled(
            if: FileSystem.isAbsent("/run/systemd/system"), "its systemd would say that this host does not go down"))
    func letsRestartEnd() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let cancellation = try Cancellation(lettingEnd: true)
        var options = SSHSession.Options()
        options.cancellation = cancellation
        let serving = try server.serveOnceAtSocket()
        let session = try SSHSession(to: .unixSocket(server.socket), options)
        try session.authenticate(user: server.user, keys: [key])
        // Its connection goes some time after the script has ended, as in a guest that shuts down.
        let script = """
            p=$$
            while [ "$p" -gt 1 ]; do
              p=$(awk '{print $4}' /proc/$p/stat)
              case $(tr '\0' ' ' </proc/$p/cmdline) in sshd*) break;; esac
            done
            (sleep 2; kill -9 "$p") >/dev/null 2>&1 </dev/null &
            echo begun
            """
        var action = ShellAction(script: .bytes(Array(script.utf8)), user: user)
        action.mayRestart = true
        let steps = [ProvisioningStep(name: "restart", action: .shell(action)), shell("echo never", name: "two")]
        let journal = Journal()
        var run = ProvisioningRun(over: session) { event in
            journal.events.append(event)
            if case .output(_, _, "begun") = event { cancellation.request() }
        }
        run.reconnect = { _ in
            #expect(cancellation.letsEnd.contains("restart"))
            #expect(journal.records.map(\.state) == [.running])
            var options = SSHSession.Options()
            options.cancellation = cancellation.insistence
            let session = try server.logIn(key, options)
            session.observe(cancellation)
            return session
        }
        let plan = try ProvisioningPlan(steps, records: [], selection: .needed, isStart: true)
        let error = #expect(throws: ProvisioningError.self) { try run.run(plan) { journal.records.append($0) } }
        #expect(error?.kind == .interrupted)
        #expect(journal.records.map(\.name) == ["restart", "restart"])
        #expect(journal.records.map(\.state) == [.running, .succeeded])
        #expect(run.session !== session)
        serving.join()
    }

    /// A step that only restarts the guest, on a server whose "guest" does no more than `script`.
    private func restart(
        by script: String, on server: TestServer, _ journal: Journal, comesBack: Bool = true
    ) throws {
        let session = try server.logIn(key)
        let steps = [ProvisioningStep(name: "restart", action: .restart), shell("echo after", name: "after")]
        let plan = try ProvisioningPlan(steps, records: [], selection: .needed, isStart: true)
        var run = ProvisioningRun(over: session) { journal.events.append($0) }
        run.restartScript = Array(script.utf8)
        run.reconnect = { restart in
            // The guest that is reached is still the same one.
            let session = try server.logIn(key)
            #expect(try !restart.isOver(over: session))
            guard comesBack else {
                throw SystemError("wait for the guest, which has not gone down", nil, .timedOut)
            }
            return session
        }
        try run.run(plan) { record in
            journal.records.removeAll { $0.name == record.name }
            journal.records.append(record)
        }
    }

    @Test(
        "a step that only restarts the guest is over once that is back, whatever it said before",
        .enabled(if: getuid() == 0, "only root restarts a guest"),
        arguments: ["echo going", "kill -TERM $$", "kill -KILL $PPID; sleep 60"])
    func restart(script: String) throws {
        let server = try TestServer(accepting: [key.publicKey])
        let journal = Journal()
        try restart(by: script, on: server, journal)
        #expect(journal.records.map(\.name) == ["restart", "after"])
        #expect(journal.records.allSatisfy { $0.state == .succeeded })
        #expect(journal.lines.last == "after")
    }

    @Test(
        "a guest that cannot be restarted, or does not go down, has failed the step",
        .enabled(if: getuid() == 0, "only root restarts a guest"))
    func failedRestart() throws {
        let server = try TestServer(accepting: [key.publicKey])
        #expect(throws: ProvisioningError.stepFailed(step: "restart", status: 3, signal: nil, lastLines: ["no"])) {
            try restart(by: "echo no; exit 3", on: server, Journal())
        }
        let journal = Journal()
        let error = #expect(throws: ProvisioningError.self) {
            try restart(by: "true", on: server, journal, comesBack: false)
        }
        guard case .notRestarted("restart", let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("has not gone down"))
        #expect(journal.records.map(\.state) == [.failed])
    }

    @Test("a guest that ends its processes is going down, though its server is there for long still")
    func goingDown() throws {
        let server = try TestServer(accepting: [key.publicKey])
        // Ends what is started after the step by a user with this home, as an init without systemd does with all.
        var action = ShellAction(
            script: .bytes(
                Array(
                    #"""
                    find_and_end() {
                        for place in /proc/[0-9]*; do
                            case $(tr '\0' ' ' <"$place/cmdline") in "sleep 10 ") ;; *) continue ;; esac
                            tr '\0' '\n' <"$place/environ" | grep -qxF "HOME=$HOME" || continue
                            kill -s TERM "${place#/proc/}" && exit 0
                        done
                    }
                    ( for try in $(seq 1000); do find_and_end; sleep 0.05; done ) >/dev/null 2>&1 &
                    echo going
                    """#.utf8)), user: user)
        action.mayRestart = true
        let session = try server.logIn(key)
        let steps = [ProvisioningStep(name: "restart", action: .shell(action)), shell("echo after", name: "after")]
        let plan = try ProvisioningPlan(steps, records: [], selection: .needed, isStart: true)
        let journal = Journal()
        var run = ProvisioningRun(over: session) { journal.events.append($0) }
        var returns = 0
        run.reconnect = { _ in
            returns += 1
            return try server.logIn(key)
        }
        try run.run(plan) { _ in }
        #expect(returns == 1)
        #expect(journal.lines == ["going", "after"])
    }

    @Test("a step that may restart the guest and does not is a step like any other")
    func noRestart() throws {
        let server = try TestServer(accepting: [key.publicKey])
        var action = ShellAction(script: .bytes(Array("echo one".utf8)), user: user)
        action.mayRestart = true
        let first = ProvisioningStep(name: "first", action: .shell(action))
        let journal = try run([first, shell("echo two")], on: server)
        #expect(journal.lines == ["one", "two"])
        #expect(journal.records.map(\.exitStatus) == [0, 0])
    }
}
