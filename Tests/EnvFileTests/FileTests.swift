import EnvFile
import Reporting
import Testing

/// Files that go into a machine, before the steps and as steps.
@Suite struct FileTests {
    @Test(
        "what is in the login user's home is the login user's, and the rest is root's, unless the file says otherwise",
        arguments: [
            ("{ path: ~/.vimrc, content: c }", nil), ("{ path: ~/a/b, content: c, owner: root }", "root"),
            ("{ path: /etc/motd, content: c }", "root:root"), ("{ path: /x, content: c, owner: \"a:b\" }", "a:b"),
        ] as [(String, String?)])
    func owner(file: String, owner: String?) throws {
        let machine = try machine("box: a\nfiles: [\(file)]\nprovision: [{ file: \(file) }]\n")
        #expect(machine.files.map(\.owner) == [owner])
        guard case .file(let step) = machine.provision[0].action else { throw Failure() }
        #expect(step == machine.files[0])
    }

    @Test("a step puts a file or a folder there, in its turn, and is a step like others")
    func step() throws {
        let project = try Project(
            """
            box: a
            provision:
              - run: one
              - { name: late, file: { path: /etc/late, source: late, mode: "0600" }, when: once, sensitive: true }
              - { if: "${NEVER}", file: { path: /x, content: y } }
              - { file: { path: ~/x, content: "${KEPT}" } }

            """)
        let environment = try project.load()
        let steps = environment.machines[0].provision
        #expect(steps.map(\.name) == ["step-1", "late", "step-4"])
        guard case .file(let late) = steps[1].action, case .file(let last) = steps[2].action else { throw Failure() }
        #expect(late.mode == 0o600 && steps[1].when == .once && steps[1].isSensitive)
        #expect(last.content == .text("${KEPT}"))
        #expect(
            environment.hostProblems(for: environment.machines).map { $0.rendered.prefix { $0 != "\n" } } == [
                "Wanderfile:4:52: error: the file 'late' is not there"
            ])
        let again = try Project(environment.configurationText(origins: true)).load()
        #expect(again.canonicalJSON == environment.canonicalJSON)
    }

    private struct Failure: Error {}

    @Test(
        "each mistake is told with what to write",
        arguments: [
            ("files: [{ path: a, content: c }]", "A path of the login user's home begins with '~/'."),
            ("files: [{ path: ~root/a, content: c }]", "'path' must be an absolute path in the machine, or one that"),
            ("files: [{ path: ~/../a, content: c }]", "'path' must be an absolute path in the machine, or one that"),
            ("files: [{ path: ~/, content: c }]", "'path' must be an absolute path in the machine, or one that"),
            ("provision: [{ file: { path: /a } }]", "a file needs one of 'content', 'source'"),
            ("provision: [{ file: /a }]", "'file' must be a map, not a single value"),
            ("provision: [{ run: x, file: { path: /a, content: c } }]", "this one has 'run' and 'file'"),
            (
                "provision: [{ file: { path: /a, content: c }, as: user }]",
                "Write 'owner' in 'file'; a path that begins with '~/' is the login user's."
            ),
            ("provision: [{ file: { path: /a, content: c }, timeout: 5m }]", "a step with 'file' takes no 'timeout'"),
            ("provision: [{ copy: { path: /a, content: c } }]", "Did you mean 'file'?"),
        ])
    func mistakes(line: String, message: String) throws {
        let problems = try Project("box: a\n\(line)\n").problems()
        #expect(problems.contains(message), "\(problems)")
    }
}
