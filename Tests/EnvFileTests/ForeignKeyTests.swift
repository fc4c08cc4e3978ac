import EnvFile
import Testing

/// The words that users of other tools type first: each is told what to write here.
@Suite struct ForeignKeyTests {
    @Test(
        "a key of another tool is answered with the line to write",
        arguments: [
            ("image: ubuntu", "Write 'box: ubuntu'."),
            ("ram: 2048", "Write 'memory: 2048MiB'."),
            ("mem: 2GiB", "Write 'memory: 2GiB'."),
            ("vcpus: 2", "Write 'cpus: 2'."),
            ("environment: { A: b }", "Did you mean 'env'?"),
            ("forwarded_port: 8080", "Write 'ports: [\"8080:80\"]': the host's port comes first."),
            ("forwarded_ports: []", "Write 'ports: [\"8080:80\"]': the host's port comes first."),
            ("private_network: 192.168.56.10", "Write 'networks: [{ name: lan, ip: 192.168.56.10 }]'."),
            ("ip: 192.168.56.10", "Write 'networks: [{ name: lan, ip: 192.168.56.10 }]'."),
            ("box_url: http://h/b.box", "Write 'box: http://h/b.box'."),
            ("box_version: 1", "Write 'box: { ref: NAME, version: \">= 1\" }'."),
            ("healthcheck: {}", "Write 'ready: [{ run: COMMAND }]'."),
            ("restart: always", "Remove it: a machine runs until it is stopped."),
            ("inline: echo", "Write 'provision: [{ run: COMMAND }]', or '{ script: FILE }' in it."),
            ("privileged: false", "Write 'as: user' in a step that is not to run as root."),
            ("services: {}", "Did you mean 'machines'?"),
            ("group: web", "Write 'labels: { group: NAME }'."),
            ("gui: true", "Remove it: a machine has no screen. 'wander console' is its console."),
            ("disks: []", "A machine has one disk in this version: 'disk: 40GiB' makes it larger."),
        ])
    func machine(line: String, advice: String) throws {
        let problems = try Project("box: a\n\(line)\n").problems()
        #expect(problems.contains("Wanderfile:2:1: error: unknown key '\(line.prefix { $0 != ":" })' in a Wanderfile"))
        #expect(problems.hasSuffix("\n    \(advice)"), "\(problems)")
    }

    @Test(
        "so is one in a step, a share or a port, once and without a second error",
        arguments: [
            ("provision: [{ shell: echo hi }]", "Write 'run: echo hi'."),
            ("provision: [{ inline: echo hi }]", "Write 'run: echo hi'."),
            ("provision: [{ path: setup.sh }]", "Write 'script: setup.sh'."),
            (
                "provision: [{ run: a, privileged: false }]",
                "Write 'as: user' for the login user; without it, root runs the step."
            ),
            ("shares: [{ host: a, guest: /b, type: rsync }]", "Remove it: every share is live in both directions."),
            (
                "shares: [{ host: a, guest: /b, owner: www-data }]",
                "Remove it: the files belong to the login user in the machine, and to you here."
            ),
            (
                "shares: [{ host: a, guest: /b, mount_options: [ro] }]",
                "Remove it: 'mode' says whether the machine may write."
            ),
            ("ports: [{ guest: 80, host_port: 8080 }]", "Write 'host: 8080'."),
            ("ports: [{ guest: 80, auto_correct: true }]", "Write 'on_conflict: next'."),
            ("ready: [{ url: http://localhost/ }]", "Write 'http: http://localhost/'."),
        ])
    func inner(line: String, advice: String) throws {
        let problems = try Project("box: a\n\(line)\n").problems()
        #expect(problems.hasSuffix("\n    \(advice)"), "\(problems)")
        #expect(problems.components(of: "error:") == 1, "\(problems)")
    }

    @Test("a command as an item of 'provision' is shown as the step that it should be")
    func command() throws {
        let problems = try Project("box: a\nprovision:\n  - apt-get update\n").problems()
        #expect(
            problems == """
                Wanderfile:3:5: error: 'provision[0]' must be a map, not a single value
                      - apt-get update
                        ^~~~~~~~~~~~~~
                    Write '- run: apt-get update'.
                """)
    }

    @Test("addresses at the top are shown the two places where they go")
    func addresses() throws {
        let problems = try Project("box: a\nnetworks: [{ name: lan, ip: 192.168.33.10 }]\n").problems()
        #expect(problems.contains("'networks' must be a map, not a list"))
        #expect(problems.contains("Write 'networks: { lan: { subnet: 192.168.56.0/24 } }' here"))
    }

    @Test("a script's URL is told apart from a file's name")
    func address() throws {
        let problems = try Project("box: a\nprovision: [{ script: \"https://h/i.sh\" }]\n").problems()
        #expect(problems.contains("'script' takes a file of the host, not a URL"))
        #expect(problems.contains("Write 'run: curl -fsSL https://h/i.sh | sh', or save the script beside this file."))
    }

    @Test("the known keys of a map are listed once, not with each unknown one")
    func once() throws {
        let problems = try Project("box: a\nqqqq: 1\nwwww: 2\nzzzz: 3\n").problems()
        #expect(problems.components(of: "error: unknown key") == 3)
        #expect(problems.components(of: "Known keys:") == 1)
    }

    @Test("a Vagrantfile is recognized, wherever its first block is")
    func ruby() throws {
        for text in [
            "Vagrant.configure(\"2\") do |config|\nend\n",
            "# -*- mode: ruby -*-\nN = 3\n\nVagrant.configure(2) do |c|\nend\n",
        ] {
            let problems = try Project(text).problems()
            #expect(problems.contains("error: this is a Vagrantfile, in Ruby; a Wanderfile is YAML"), "\(problems)")
            #expect(problems.components(of: "error:") == 1, "\(problems)")
        }
    }
}

extension String {
    fileprivate func components(of part: String) -> Int {
        var count = 0
        var rest = self[...]
        while let found = rest.firstRange(of: part) {
            count += 1
            rest = rest[found.upperBound...]
        }
        return count
    }
}
