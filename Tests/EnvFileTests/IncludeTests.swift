import Digest
import EnvFile
import LinuxSystem
import Reporting
import Synchronization
import SystemPackage
import Testing

/// `include`: other files below the one that names them.
@Suite struct IncludeTests {
    @Test("the included are below the file, a later one above an earlier one, and Wanderfile.local above all")
    func order() throws {
        let project = try Project("include: [a.yaml, b.yaml]\nbox: main\ncpus: 3\n")
        try project.write("box: a\ncpus: 1\nmemory: 1GiB\ndisk: 1GiB\nuser: a\nenv: { A: a, X: a }\n", to: "a.yaml")
        try project.write("box: b\ncpus: 2\nmemory: 2GiB\ndisk: 2GiB\nenv: { B: b, X: b }\n", to: "b.yaml")
        try project.write("include: c.yaml\nmemory: 5GiB\n", to: "Wanderfile.local")
        try project.write("disk: 4GiB\nmemory: 4GiB\n", to: "c.yaml")
        let environment = try project.load()
        let machine = environment.machines[0]
        #expect(machine.box.description == "main")
        #expect(machine.cpus == 3)
        #expect(machine.memory == 5 << 30)
        #expect(machine.disk == 4 << 30)
        #expect(machine.user == "a")
        #expect(machine.environment == ["A": "a", "B": "b", "X": "b"])
        #expect(environment.origin(of: "machines.default.user")?.description == "a.yaml:5:7")
        #expect(
            environment.sources.map { $0.lastComponent?.string }
                == ["Wanderfile", "a.yaml", "b.yaml", "Wanderfile.local", "c.yaml"])
    }

    @Test("paths in an included file start from its own folder, and it may include others")
    func folders() throws {
        let project = try Project("include: team/base.yaml\n")
        try project.write("include: [../more/web.yaml]\nvars: { V: \"1\" }\n", to: "team/base.yaml")
        try project.write(
            "machines: { web: { box: ./web.box, provision: [{ script: s.sh }], env: { V: \"${V}\" } } }\n",
            to: "more/web.yaml")
        let environment = try project.load()
        let web = environment.machines[0]
        #expect(web.box.description == "more/web.box")
        #expect(web.environment == ["V": "1"])
        let problems = environment.hostProblems(for: environment.machines).map(\.rendered)
        #expect(problems.contains { $0.hasPrefix("more/web.yaml:1:58: error: the script 'more/s.sh' is not there") })
    }

    @Test("what is wrong in an included file has its line and caret, beside what is wrong in the others")
    func problems() throws {
        let project = try Project("include: [common/a.yaml]\nbox: a\ncpus: x\n")
        try project.write("\nmemry: 1\nports: [nope]\n", to: "common/a.yaml")
        #expect(
            project.problems() == """
                Wanderfile:3:7: error: 'cpus' must be a whole number from 1 to 255, not 'x'
                    cpus: x
                          ^
                common/a.yaml:2:1: error: unknown key 'memry' in a Wanderfile
                    memry: 1
                    ^~~~~
                    Did you mean 'memory'?
                common/a.yaml:3:9: error: 'ports[0]' must be a port such as '8080:80', not 'nope'
                    ports: [nope]
                            ^~~~
                    Forms: 'host:guest', 'address:host:guest/udp', '8000-8010:8000-8010', 'guest'.
                """)
    }

    @Test(
        "each mistake of an 'include' is told where it is",
        arguments: [
            ("[gone.yaml]", "Wanderfile:2:11: error: there is no file 'gone.yaml'"),
            ("[Wanderfile]", "the files include each other in a circle: Wanderfile -> Wanderfile"),
            ("./x/../Wanderfile", "the files include each other in a circle: Wanderfile -> Wanderfile"),
            (
                "[loop.yaml]",
                "loop2.yaml:1:10: error: the files include each other in a circle: loop.yaml -> loop2.yaml"
            ),
            ("[\"deep0.yaml\"]", "deep7.yaml:1:10: error: files include each other more than 8 deep"),
            ("\"${A}.yaml\"", "'include' takes no variables"),
            (
                "{ file: ok.yaml, digest: \"sha256:\(String(repeating: "0", count: 64))\" }",
                "Wanderfile:2:35: error: the file"
            ),
            (
                "https://h/x.yaml",
                "Wanderfile:2:10: error: a file from a URL needs its 'digest', so that it stays the same"
            ),
            ("ftp://h/x.yaml", "must be a path or a URL, not 'ftp://h/x.yaml'"),
            ("[{ path: ok.yaml }]", "Write 'file: ok.yaml'."), ("[vagrant.yaml]", "this is a Vagrantfile, in Ruby"),
            ("[list.yaml]", "list.yaml:1:1: error: a Wanderfile must be a map of keys and values, not a list"),
            ("[.]", "is a folder"),
        ])
    func mistakes(value: String, message: String) throws {
        let project = try Project("box: a\ninclude: \(value)\n")
        try project.write("include: loop2.yaml\n", to: "loop.yaml")
        try project.write("include: loop.yaml\n", to: "loop2.yaml")
        for number in 0..<9 { try project.write("include: deep\(number + 1).yaml\n", to: "deep\(number).yaml") }
        try project.write("cpus: 1\n", to: "ok.yaml")
        try project.write("Vagrant.configure(2) do |c|\nend\n", to: "vagrant.yaml")
        try project.write("- a\n", to: "list.yaml")
        #expect(project.problems().contains(message), "\(project.problems())")
    }

    @Test("there is an end to how many files are read, and one that several include is read once")
    func limits() throws {
        let names = (0..<33).map { "f\($0).yaml" }
        let project = try Project("box: a\ninclude: [\(names.prefix(32).joined(separator: ", "))]\n")
        for name in names { try project.write("include: common.yaml\n", to: name) }
        try project.write("cpus: 7\n", to: "common.yaml")
        #expect(project.problems().contains("more than 32 files are included"))
        try project.write("box: a\ninclude: [\(names.prefix(31).joined(separator: ", "))]\n")
        let environment = try project.load()
        #expect(environment.machines[0].cpus == 7)
        #expect(environment.sources.count { $0.lastComponent == "common.yaml" } == 1)
    }

    @Test("a digest that fits is fine; one that does not is answered with the right one")
    func digest() throws {
        let content = "cpus: 5\n"
        let right = SHA256Digest(of: Array(content.utf8)).description
        let project = try Project("box: a\ninclude: { file: a.yaml, digest: \"\(right)\" }\n")
        try project.write(content, to: "a.yaml")
        #expect(try project.load().machines[0].cpus == 5)
        try project.write(content + "\n", to: "a.yaml")
        let now = SHA256Digest(of: Array((content + "\n").utf8)).description
        #expect(project.problems().hasSuffix("Look at what has changed, then write \(now)."))
    }

    @Test("a file from a URL is asked for by its digest, and includes files from URLs only")
    func remote() throws {
        let digest = "sha256:" + String(repeating: "ab", count: 32)
        let project = try Project("box: a\ninclude: [{ file: \"https://h/b.yaml\", digest: \"\(digest)\" }]\n")
        #expect(project.problems().contains("this command reads no files from URLs"))
        let asked = Mutex<[String]>([])
        let content = Mutex("cpus: 6\nprovision: [{ script: s.sh }]\n")
        project.options.fetch = { url, digest in
            asked.withLock { $0.append("\(url) \(digest)") }
            return .success(Array(content.withLock { $0 }.utf8))
        }
        let machine = try project.load().machines[0]
        #expect(machine.cpus == 6)
        guard case .script(let script) = machine.provision[0].action else { throw Failure() }
        #expect(script.text == "s.sh")
        #expect(asked.withLock { $0 } == ["https://h/b.yaml \(digest)"])
        content.withLock { $0 = "include: other.yaml\ncpus: x\n" }
        #expect(
            project.problems().contains("https://h/b.yaml:1:10: error: a file from a URL includes files from URLs only")
        )
        #expect(project.problems().contains("https://h/b.yaml:2:7: error: 'cpus' must be a whole number"))
        project.options.fetch = { _, _ in .failure(IncludeFailure(reason: "no route", remedy: "Look at the cable.")) }
        #expect(project.problems().contains("Wanderfile:2:19: error: the file cannot be had: no route"))
        #expect(project.problems().hasSuffix("    Look at the cable."))
    }

    private struct Failure: Error {}

    @Test("'--set' may include, too, relative to the project")
    func override() throws {
        let project = try Project("box: a\ncpus: 1\n")
        try project.write("cpus: 9\n", to: "x.yaml")
        project.options.overrides = ["include=x.yaml"]
        #expect(try project.load().machines[0].cpus == 9)
    }
}
