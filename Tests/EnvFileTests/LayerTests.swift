import EnvFile
import JSON
import Reporting
import SystemPackage
import Testing

@Suite struct LayerTests {
    @Test("built-in, user configuration, Wanderfile, Wanderfile.local, --set: the later one wins")
    func order() throws {
        let project = try Project("box: b\ncpus: 3\nmemory: 3GiB\ndisk: 3GiB\n")
        try project.write("defaults: { box: a, user: me, cpus: 1 }\n", to: "config.yaml")
        project.options.userConfiguration = project.folder.appending("config.yaml")
        try project.write("memory: 4GiB\ndisk: 4GiB\n", to: "Wanderfile.local")
        project.options.overrides = ["disk=5GiB"]
        let environment = try project.load()
        let machine = environment.machines[0]
        #expect(machine.user == "me")
        #expect(machine.box.description == "b")
        #expect(machine.cpus == 3)
        #expect(machine.memory == 4 << 30)
        #expect(machine.disk == 5 << 30)
        #expect(machine.bootTimeout == .seconds(300))
        func origin(_ key: String) -> String? { environment.origin(of: "machines.default.\(key)")?.description }
        #expect(origin("user") == "\(project.folder)/config.yaml:1:27")
        #expect(origin("cpus") == "Wanderfile:2:7")
        #expect(origin("memory") == "Wanderfile.local:1:9")
        #expect(origin("disk") == "--set:1:6")
        #expect(origin("boot_timeout") == nil)
        #expect(
            environment.sources.map { $0.lastComponent?.string } == ["config.yaml", "Wanderfile", "Wanderfile.local"])
    }

    @Test(
        "maps merge by key, known lists by identity, an empty list and other lists replace, nothing removes",
        arguments: [
            ("env: { A: 1, B: 2 }", "env: { B: 3 }", "env", #"{"A":"1","B":"3"}"#),
            ("env: { A: 1, B: 2 }", "env: { B: }", "env", #"{"A":"1"}"#),
            ("env: { A: 1 }", "env: null", "env", "{}"),
            ("disk: 4GiB", "disk:", "disk", "nil"),
            ("ports: [\"1:80\", \"2:81\"]", "ports: [\"3:80\", \"4:80/udp\"]", "ports", "3:80/tcp 2:81/tcp 4:80/udp"),
            ("ports: [\"1:80\"]", "ports: [{ guest: 80, host: 5 }]", "ports", "5:80/tcp"),
            ("ports: [{ guest: 80, host: 5 }]", "ports: [{ guest: 80, proto: tcp, host: 6 }]", "ports", "6:80/tcp"),
            ("ports: [\"1:80\"]", "ports: []", "ports", ""),
            ("shares: [\".:/a\", \"b:/b\"]", "shares: [\"c:/a/:ro\", \"d:/d\"]", "shares", "c:/a:ro b:/b d:/d"),
            ("shares: [{ host: ., guest: /a }]", "shares: [{ guest: //a, mode: ro }]", "shares", ".:/a:ro"),
            ("shares: [\".:/a\"]", "shares: []", "shares", ""),
            ("files: [{ path: /a, content: x }]", "files: [{ path: /a, mode: \"0600\" }]", "files", "/a 600"),
            (
                "provision: [{ name: a, run: x }]", "provision: [{ name: a, when: once }, { run: y }]", "steps",
                "a:once step-2:changed"
            ),
            ("provision: [{ name: a, run: x, args: [p, q] }]", "provision: [{ name: a, args: [r] }]", "args", "r"),
            ("depends_on: []", "labels: { a: b }", "labels", #"{"a":"b"}"#),
        ])
    func merging(base: String, overlay: String, what: String, expected: String) throws {
        let project = try Project("box: a\n\(base)\n")
        try project.write("\(overlay)\n", to: "Wanderfile.local")
        let machine = try #require(try project.load().machines.first)
        let found =
            switch what {
            case "ports":
                machine.ports.map { "\($0.hostPort ?? 0):\($0.guestPort)/\($0.transport)" }.joined(separator: " ")
            case "shares": machine.shares.map(\.text).joined(separator: " ")
            case "files": machine.files.map { "\($0.path) \(String($0.mode, radix: 8))" }.joined(separator: " ")
            case "steps": machine.provision.map { "\($0.name):\($0.when)" }.joined(separator: " ")
            case "args": machine.provision.flatMap(\.arguments).joined(separator: " ")
            default: machine.canonicalJSON[what].map(\.compact) ?? "nil"
            }
        #expect(found == expected)
    }

    @Test("short and long forms of a value merge")
    func shortForms() throws {
        let project = try Project("box: debian/12\nprovider: kvm\n")
        try project.write(
            "box: { version: '>= 12' }\nprovider: { emulation: { cpu: qemu64 } }\n", to: "Wanderfile.local")
        let machine = try #require(try project.load().machines.first)
        #expect(machine.box.source == .name("debian/12"))
        #expect(machine.box.versionConstraint == VersionRange(">= 12"))
        #expect(machine.provider.kind == .kvm)
        #expect(machine.provider.emulation.processor == "qemu64")
    }

    @Test("a machine of the Wanderfile can be changed, added and removed locally")
    func machines() throws {
        let project = try Project("defaults: { box: a }\nmachines: { web: { cpus: 1 }, db: }\n")
        try project.write("machines: { web: { cpus: 8 }, db: null, extra: {} }\n", to: "Wanderfile.local")
        let environment = try project.load()
        #expect(environment.machines.map(\.name) == ["web", "extra"])
        #expect(environment.machines[0].cpus == 8)
    }

    @Test("'defaults' reach into a machine, whose own lists merge with theirs")
    func defaults() throws {
        let environment = try Project(
            """
            defaults: { box: a, provision: [{ name: common, run: x }], depends_on: {} }
            machines: { web: { provision: [{ name: own, run: y }] }, db: { provision: [] } }
            """
        ).load()
        #expect(environment.machines[0].provision.map(\.name) == ["common", "own"])
        #expect(environment.machines[1].provision.isEmpty)
    }

    @Test(
        "--set takes any value, and says what is wrong with it",
        arguments: [
            ("cpus", "'--set' takes PATH=VALUE"), ("=4", "'--set' takes names with dots between them before the '='"),
            ("cpus=x", "'cpus' must be a whole number from 1 to 255, not 'x'"),
            ("cpu=1", "unknown key 'cpu' in a Wanderfile"),
            ("ports=[1", "the list '[...]' is not closed or lacks a ','"),
            ("env.A.B=1", "'A' must be text, not a map"), ("box=!x y", "the tag '!x' is not allowed"),
        ])
    func badOverride(argument: String, message: String) throws {
        let project = try Project("box: a\n")
        project.options.overrides = ["memory=2GiB", argument]
        let first = project.problems().split(separator: "\n").first ?? ""
        #expect(first.hasPrefix("--set:2:"), "\(first)")
        #expect(first.hasSuffix("error: \(message)"), "\(first)")
    }

    @Test("--set with nothing removes, with YAML sets a list, and columns count in the whole argument")
    func overrides() throws {
        let project = try Project("box: a\ndisk: 4GiB\n")
        project.options.overrides = ["disk=", "ports=[\"8080:80\", 99]", "env.A=x=y", "message='a: b'"]
        let machine = try #require(try project.load().machines.first)
        #expect(machine.disk == nil)
        #expect(machine.ports.count == 2)
        #expect(machine.environment == ["A": "x=y"])
        #expect(machine.message == "a: b")
        project.options.overrides = ["ports=[\"8080:80\", x]"]
        #expect(project.problems().hasPrefix("--set:1:19: error"))
    }

    @Test("relative paths start from the folder of the file that has them")
    func paths() throws {
        let project = try Project(
            "box: ./a.box\nprovision: [{ script: s/x.sh }, { script: /abs/y.sh }, { script: ~/z.sh }]\n")
        try project.write("defaults: { files: [{ path: /f, source: here }] }\n", to: "conf/config.yaml")
        project.options.userConfiguration = project.folder.pushing("conf/config.yaml")
        let machine = try #require(try project.load().machines.first)
        #expect(machine.files.first?.content == .source(try host("conf/here", project)))
        #expect(
            try machine.provision.map(\.action) == [
                .script(host("s/x.sh", project)), .script(host("/abs/y.sh", project)),
                .script(host(project.folder.removingLastComponent().string + "/z.sh", project)),
            ])
    }

    /// The path of a script that a file at the top of the project names.
    private func host(_ text: String, _ project: Project) throws -> HostPath {
        let other = try Project("box: a\nprovision: [{ script: \(text) }]\n")
        guard case .script(let path) = try other.load().machines[0].provision[0].action else {
            throw EnvFileError.missing(project.folder)
        }
        return path
    }
}
