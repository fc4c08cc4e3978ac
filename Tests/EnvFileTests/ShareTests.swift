import EnvFile
import LinuxSystem
import Reporting
import SystemPackage
import Testing

@Suite struct ShareTests {
    private func shares(_ list: String, home: String? = nil) throws -> [SharedFolder] {
        try #require(try Project("box: a\nshares: \(list)\n").load().machines.first).shares
    }

    @Test("the short and the long form say the same")
    func forms() throws {
        let short = try shares("[\".:/project\", \"data:/srv/data:ro\", \"/var/empty:/empty:rw\"]")
        #expect(short.map(\.text) == [".:/project", "data:/srv/data:ro", "/var/empty:/empty"])
        let long = try shares("[{ host: ., guest: /project }, { host: ./data/, guest: /srv/./data/, mode: ro }]")
        #expect(long == Array(short.prefix(2)))
        #expect(try shares("[{ host: a, guest: /a, create: true }]").first?.createsHost == true)
        #expect(short.first?.createsHost == false)
    }

    @Test("a path with spaces, quotes and colons keeps them")
    func strangePaths() throws {
        let found = try shares(#"[{ host: "a:b c", guest: "/my project's \"files\"" }]"#)
        #expect(found.first?.host.text == "a:b c")
        #expect(found.first?.guest == #"/my project's "files""#)
    }

    @Test("a folder inside of the project moves with it; others are absolute")
    func moving() throws {
        let project = try Project()
        try project.write(
            "box: a\nshares: [\"\(project.folder)/src:/src\", \"..:/above\", \"~/notes:/notes\"]\n", to: "Wanderfile")
        let found = try #require(try project.load().machines.first).shares
        #expect(found[0].host.text == "src")
        #expect(found[1].host.text == project.folder.removingLastComponent().string)
        #expect(found[2].host.text.hasPrefix("/"))
        #expect(found[0].host.resolved(in: "/elsewhere") == "/elsewhere/src")
    }

    @Test("variables are filled in, and a share of a group can bear each machine's name")
    func variables() throws {
        let project = try Project(
            "vars: { WHERE: /srv }\ndefaults: { box: a }\n"
                + "machines: { web: { count: 2, shares: [\"logs-${machine.index}:${WHERE}/logs\"] } }\n")
        #expect(
            try project.load().machines.map { $0.shares.map(\.text) } == [["logs-1:/srv/logs"], ["logs-2:/srv/logs"]])
    }

    @Test("a machine takes sixteen shares")
    func limit() throws {
        func list(_ count: Int) -> String { "[" + (0..<count).map { "\".:/s\($0)\"" }.joined(separator: ", ") + "]" }
        #expect(try shares(list(16)).count == 16)
        let project = try Project("box: a\nshares: \(list(17))\n")
        #expect(project.problems().contains("'shares' has more than 16 items"))
    }

    @Test(
        "folders that the system needs are refused, those below most of them are not",
        arguments: [
            ("/usr", false), ("/usr/local/src", true), ("/var/www", true), ("/etc/nginx/conf.d", true),
            ("/proc/x", false),
            ("/boot/grub", false), ("/home", false), ("/home/dev/src", true), ("/devices", true), ("/tmp", false),
        ])
    func systemFolders(path: String, isFine: Bool) throws {
        let problems = try Project("box: a\nshares: [\".:\(path)\"]\n").problems()
        #expect(problems.isEmpty == isFine, "\(problems)")
        #expect(isFine || problems.contains("which the machine's own system needs"))
    }

    @Test("a folder that the host lacks is reported where it is named, unless it may be made")
    func hostProblems() throws {
        let project = try Project(
            "box: a\nshares: [\"data:/data\", { host: new, guest: /new, create: true }, \"file:/file\", \".:/p\"]\n")
        try project.write("x", to: "file")
        let environment = try project.load()
        #expect(
            environment.hostProblems(for: environment.machines).map(\.rendered) == [
                """
                Wanderfile:2:10: error: the folder 'data' to share is not there
                    shares: ["data:/data", { host: new, guest: /new, create: true }, "file:/file", ".:/p"]
                             ^~~~~~~~~~~~
                    Make it, or let wander do so: { host: data, guest: /data, create: true }
                """,
                """
                Wanderfile:2:66: error: 'file', to be shared, is not a folder
                    shares: ["data:/data", { host: new, guest: /new, create: true }, "file:/file", ".:/p"]
                                                                                     ^~~~~~~~~~~~
                    A share takes a folder; 'files' copies files.
                """,
            ])
    }
}
