import EnvFile
import LinuxSystem
import Reporting
import SystemPackage
import Testing

/// What users read when something is wrong. Each file of Fixtures/bad has its exact messages beside it.
@Suite struct MessageTests {
    @Test("the fixtures are there")
    func present() { #expect(Fixtures.bad.count >= 29) }

    @Test("a bad file says everything that is wrong with it", arguments: Fixtures.bad)
    func badFile(name: String) throws {
        let folder = Fixtures.folder.appending("bad")
        let project = try Project(try Fixtures.text(folder.appending("\(name).yaml")))
        let expected = try Fixtures.text(folder.appending("\(name).txt"))
        #expect(project.problems() + "\n" == expected)
    }

    @Test("what is no text at all is told apart")
    func notText() throws {
        let project = try Project()
        let file = project.folder.appending("Wanderfile")
        let cases: [([UInt8], String)] = [
            (Array("box: a\0\n".utf8), "error: Wanderfile is not a text file: byte 6 is zero"),
            (
                Array("box: a\nmessage: caf".utf8) + [0xe9, 0x0a],
                """
                Wanderfile:2:13: error: this is not UTF-8
                    message: caf\u{fffd}
                                ^
                    Save the file with the encoding UTF-8.
                """
            ),
            (
                [UInt8](repeating: 0x23, count: (1 << 20) + 1),
                "error: Wanderfile has more than 1 MiB, which is too long"
            ),
        ]
        for (bytes, message) in cases {
            try AtomicFile.write(bytes, to: file)
            #expect(project.problems() == message)
        }
    }

    @Test("folders, pipes and files without permission are told apart, and nothing hangs")
    func notAFile() throws {
        let project = try Project()
        try FileSystem.makeDirectory(project.folder.appending("Wanderfile"))
        #expect(project.problems() == "error: Wanderfile is a folder")
        project.options.file = "/dev/null"
        #expect(project.problems() == "error: null is not a regular file")
        project.options.file = "missing"
        #expect(throws: EnvFileError.missing(project.folder.appending("missing"))) { try project.load() }
    }

    @Test("a file that starts with a byte order mark or has DOS line ends is fine")
    func encodings() throws {
        #expect(try machine("\u{feff}box: a\r\nmessage: b\r\n").message == "b")
    }

    @Test("a hundred problems are shown, the rest are counted")
    func many() throws {
        let project = try Project("box: a\n" + (0..<150).map { "key\($0): 1\n" }.joined())
        do throws(EnvFileError) {
            _ = try project.load()
            Issue.record("it loaded")
        } catch {
            #expect(error.diagnostics.count == 100)
            #expect(error.summary == "the environment has 150 problems")
            #expect(error.detail?.hasSuffix("... and 50 more") == true)
            #expect(error.kind == .invalidConfiguration)
        }
    }

    @Test("one mistake in 'defaults' is one problem, however many machines there are")
    func sharedMistake() throws {
        let project = try Project(
            "defaults: { box: a, cpus: no }\nmachines: { a: {}, b: { count: 9 }, c: { labels: { x: y } } }\n")
        #expect(project.problems().split(separator: "\n").count == 3)
    }

    @Test("what the host lacks is found apart from loading")
    func hostProblems() throws {
        let project = try Project(
            "box: ./a.box\nfiles: [{ path: /x, source: y }]\nprovision: [{ script: . }, { script: ok.sh }]\n")
        try project.write("true\n", to: "ok.sh")
        let environment = try project.load()
        #expect(
            environment.hostProblems(for: environment.machines).map(\.rendered) == [
                "Wanderfile:1:6: error: the box 'a.box' is not there\n    box: ./a.box\n         ^~~~~~~",
                """
                Wanderfile:2:29: error: the file 'y' is not there
                    files: [{ path: /x, source: y }]
                                                ^
                """,
                """
                Wanderfile:3:23: error: the script '.' is not a regular file
                    provision: [{ script: . }, { script: ok.sh }]
                                          ^
                """,
            ])
    }

    @Test("what the host lacks is told in the order of the file")
    func hostProblemsInOrder() throws {
        let project = try Project(
            "box: a\nprovision: [{ script: s }]\nfiles: [{ path: /x, source: f }]\nshares: [\"d:/d\"]\n")
        let environment = try project.load()
        #expect(environment.hostProblems(for: environment.machines).compactMap(\.location?.line) == [2, 3, 4])
    }
}
