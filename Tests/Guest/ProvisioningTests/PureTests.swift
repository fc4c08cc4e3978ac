import Glibc
import JSON
import LinuxSystem
import Reporting
import SSHTestServer
import SystemPackage
import TestSupport
import Testing

@testable import Provisioning

@Suite struct StepDecisionTests {
    private func step(_ when: ProvisioningStep.When = .changed, name: String = "one") -> ProvisioningStep {
        ProvisioningStep(name: name, action: .shell(ShellAction(script: .bytes([]))), when: when)
    }
    private func record(_ state: StepRecord.State, hash: String = "h") -> StepRecord {
        StepRecord(name: "one", hash: hash, state: state, started: 1)
    }

    @Test(
        "what has not succeeded or has changed runs, and nothing else",
        arguments: [
            (.changed, nil, true, .run(.neverRan)), (.changed, .succeeded, true, .skip(.succeeded)),
            (.changed, .failed, false, .run(.failed)), (.changed, .running, false, .run(.cutOff)),
            (.once, nil, false, .run(.neverRan)), (.once, .succeeded, true, .skip(.succeeded)),
            (.once, .failed, true, .run(.failed)), (.always, nil, false, .run(.neverRan)),
            (.always, .succeeded, true, .run(.always)), (.always, .succeeded, false, .skip(.noStart)),
            (.manual, nil, true, .skip(.manual)), (.manual, .failed, true, .skip(.manual)),
        ] as [(ProvisioningStep.When, StepRecord.State?, Bool, StepDecision)])
    func needed(when: ProvisioningStep.When, state: StepRecord.State?, isStart: Bool, expected: StepDecision) {
        let decision = step(when).decision(.needed, record: state.map { record($0) }, hash: "h", isStart: isStart)
        #expect(decision == expected)
    }

    @Test("a changed definition runs again, except once")
    func changed() {
        let old = record(.succeeded, hash: "old")
        #expect(step(.changed).decision(.needed, record: old, hash: "new", isStart: false) == .run(.changed))
        #expect(step(.once).decision(.needed, record: old, hash: "new", isStart: true) == .skip(.succeeded))
    }

    @Test("a manual step runs when it is named, not when its type is")
    func manual() {
        let decide = { (selection: StepSelection) in
            step(.manual).decision(selection, record: nil, hash: "h", isStart: true)
        }
        #expect(decide(.only(["one"])) == .run(.asked))
        #expect(decide(.only(["shell"])) == .skip(.manual))
        #expect(decide(.all) == .skip(.manual))
    }

    @Test("a selection by name or type runs what has succeeded before, and nothing else")
    func selection() {
        let decide = { (selection: StepSelection) in
            step().decision(selection, record: record(.succeeded), hash: "h", isStart: false)
        }
        #expect(decide(.only(["one"])) == .run(.asked))
        #expect(decide(.only(["shell"])) == .run(.asked))
        #expect(decide(.only(["file", "two"])) == .skip(.notSelected))
        #expect(decide(.all) == .run(.asked))
        #expect(decide(.nothing) == .skip(.notSelected))
    }

    @Test("a plan keeps the order, and refuses names that nothing has")
    func plan() throws {
        let steps = ["c", "a", "b"].map { step(name: $0) }
        let hash = try steps[0].definitionHash()
        let records = [StepRecord(name: "a", hash: hash, state: .succeeded, started: 1)]
        let plan = try ProvisioningPlan(steps, records: records, selection: .needed, isStart: true)
        #expect(plan.runs.map(\.step.name) == ["c", "b"])
        #expect(throws: ProvisioningError.unknownSelection("bb", known: ["c", "a", "b"])) {
            try ProvisioningPlan(steps, records: [], selection: .only(["a", "bb"]), isStart: true)
        }
    }

    @Test("a record survives its JSON; a damaged one is refused by name")
    func json() throws {
        let record = StepRecord(name: "x", hash: "h", state: .failed, started: 5, finished: 9, exitStatus: 3)
        #expect(try StepRecord(record.json, path: "record") == record)
        let running = StepRecord(name: "x", hash: "h", state: .running, started: 5)
        #expect(try StepRecord(running.json, path: "record") == running)
        #expect(throws: JSONError.wrongType("r: state", expected: "'running', 'succeeded' or 'failed'")) {
            try StepRecord(["name": "x", "hash": "h", "state": "odd", "started": 1], path: "r")
        }
    }
}

@Suite struct StepHashTests {
    @Test("whatever decides what a step does changes its hash, and nothing else")
    func fields() throws {
        let base = ShellAction(
            script: .bytes([1]), arguments: ["a", "b"], environment: ["X": "1"], user: "root", timeout: .milliseconds(5)
        )
        func hash(_ change: (inout ShellAction) -> Void) throws -> String {
            var action = base
            change(&action)
            return try ProvisioningStep(name: "n", action: .shell(action)).definitionHash()
        }
        let original = try hash { _ in }
        #expect(try hash { $0.timeout = nil } == original)
        #expect(try ProvisioningStep(name: "other", action: .shell(base), when: .always).definitionHash() == original)
        let changed = try [
            hash { $0.script = .bytes([2]) }, hash { $0.arguments = ["a"] }, hash { $0.arguments = ["ab"] },
            hash { $0.arguments = ["b", "a"] }, hash { $0.environment = ["X": "2"] }, hash { $0.environment = [:] },
            hash { $0.user = nil }, hash { $0.hasTerminal = true },
            hash {
                $0.arguments = ["a", "b", "X"]
                $0.environment = [:]
            },
        ]
        #expect(Set(changed + [original]).count == changed.count + 1)
    }

    @Test(
        "what is no file is no script, and is not waited for", .timeLimit(.minutes(15)),
        arguments: ["pipe", "socket", "device"])
    func notAFile(kind: String) throws {
        let directory = try TemporaryFolder()
        var path = directory("script")
        switch kind {
        case "pipe": #expect(mkfifo(path.string, 0o600) == 0)
        case "socket": try UnixSocket.listen(at: path).close()
        default: path = "/dev/zero"
        }
        let step = ProvisioningStep(name: "n", action: .shell(ShellAction(script: .source(path))))
        let error = #expect(throws: ProvisioningError.self) { try step.definitionHash() }
        #expect(error?.summary.hasSuffix("\(path) is neither a file nor a folder") == true, "\(error?.summary ?? "")")
        #expect(error?.kind == .invalidConfiguration)
        let file = ProvisioningStep(name: "n", action: .file(FileAction(content: .source(path), path: "/x")))
        #expect(throws: ProvisioningError.self) { try file.definitionHash() }
    }

    @Test("a script of the host counts by its bytes, a folder by all it holds")
    func sources() throws {
        let directory = try TemporaryFolder()
        let script = directory.path.appending("script")
        try AtomicFile.write("one", to: script)
        let step = ProvisioningStep(name: "n", action: .shell(ShellAction(script: .source(script))))
        let inline = ProvisioningStep(name: "n", action: .shell(ShellAction(script: .bytes(Array("one".utf8)))))
        #expect(try step.definitionHash() == inline.definitionHash())
        try AtomicFile.write("two", to: script)
        #expect(try step.definitionHash() != inline.definitionHash())
        let folder = directory.path.appending("folder")
        try FileSystem.makeDirectory(folder.appending("sub"))
        try AtomicFile.write("x", to: folder.appending("sub").appending("file"))
        let tree = ProvisioningStep(name: "n", action: .file(FileAction(content: .source(folder), path: "/x")))
        let before = try tree.definitionHash()
        #expect(try tree.definitionHash() == before)
        try FileSystem.setPermissions(folder.appending("sub").appending("file"), 0o600)
        #expect(try tree.definitionHash() != before)
        try FileSystem.remove(script)
        let error = #expect(throws: ProvisioningError.self) { try step.definitionHash() }
        #expect(error?.kind == .invalidConfiguration)
    }
}

@Suite struct OutputLinesTests {
    private func lines(_ text: String, _ secrets: [String] = [], pieces: Int = 3) -> [String] {
        var lines = OutputLines(Masker(secrets))
        var result: [String] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            result += lines.add(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
        }
        return result + (lines.finish().map { [$0] } ?? [])
    }

    @Test("secrets are masked wherever they stand, also across pieces", arguments: 1..<12)
    func masking(pieces: Int) {
        let text = "a hunter2 b\nhunter2hunter2\nhunter\n"
        #expect(lines(text, ["hunter2"], pieces: pieces) == ["a *** b", "******", "hunter"])
    }

    @Test("the longer of two secrets goes as a whole, lines of a secret one by one, quoted forms too")
    func forms() {
        #expect(Masker(["pass", "password"]).mask("password pass") == "*** ***")
        #expect(Masker(["line one\nline two"]).mask("x line two y") == "x *** y")
        #expect(Masker(["it's"]).mask("+ echo 'it'\\''s'") == "+ echo ***")
        #expect(Masker(["", "1", "no"]).mask("no 1 nothing") == "no 1 nothing")
    }

    @Test("what would command a terminal is dropped")
    func control() {
        #expect(lines("\u{1b}[31mred\u{1b}[0m\u{7}\n") == ["red"])
        #expect(lines("\u{1b}]0;title\u{7}after\n") == ["after"])
        #expect(lines("10%\r50%\r100%\r\n") == ["100%"])
        #expect(lines("tab\tb\n\nlast") == ["tab\tb", "", "last"])
    }

    @Test("a line without end is cut, and a secret at the cut is still masked")
    func longLine() {
        let secret = "s3cret-s3cret"
        for shift in 0..<20 {
            let text =
                String(repeating: "x", count: OutputLines.limit - shift) + secret + String(repeating: "y", count: 100)
            let joined = lines(text, [secret], pieces: 1000).joined()
            #expect(!joined.contains("s3cret"))
            #expect(joined.contains("***") && joined.hasSuffix("yyy"))
        }
    }

    @Test("damaged UTF-8 is replaced")
    func encoding() {
        var lines = OutputLines(.none)
        #expect(lines.add([0x61, 0xff, 0x62, 0x0a]) == ["a\u{fffd}b"])
    }
}

@Suite struct HTTPAddressTests {
    @Test(
        "reads addresses",
        arguments: [
            ("http://localhost", "localhost", 80, "/"),
            ("http://127.0.0.1:8080/health?x=1#top", "127.0.0.1", 8080, "/health?x=1"),
            ("HTTPS://web/x", "web", 443, "/x"), ("http://[::1]:3000/", "::1", 3000, "/"),
            ("http://h?q", "h", 80, "/?q"),
        ] as [(String, String, UInt16, String)])
    func valid(text: String, host: String, port: UInt16, path: String) throws {
        let address = try #require(HTTPAddress(text))
        #expect(address.host == host && address.port == port && address.path == path)
    }

    @Test(
        "refuses what is none",
        arguments: [
            "", "localhost", "ftp://x", "http://", "http://:80", "http://h:0", "http://h:99999", "http://u@h/",
            "http://h/ x", "http://h/\r\nX: y", "http://[::1",
        ])
    func invalid(text: String) { #expect(HTTPAddress(text) == nil) }

    @Test(
        "reads the status of an answer",
        arguments: [("HTTP/1.1 200 OK\r\n", 200), ("HTTP/1.0 404\r\n", 404), ("SSH-2.0-x", nil), ("", nil)]
            as [(String, Int?)])
    func status(answer: String, expected: Int?) { #expect(HTTPAddress.status(of: Array(answer.utf8)) == expected) }
}
