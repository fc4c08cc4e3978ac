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
            ("forwarded_port: { guest: 80, host: 8081 }", "Write 'ports: [\"8081:80\"]'."),
            (
                "forwarded_port: { guest: 53, host: 5353, protocol: udp, host_ip: 0.0.0.0 }",
                "Write 'ports: [\"0.0.0.0:5353:53/udp\"]'."
            ),
            (
                "forwarded_ports: [{ guest: 80 }, { guest: 443, host: 8443, auto_correct: true }]",
                "Write 'ports: [\"80\", { guest: 443, host: 8443, on_conflict: next }]'."
            ),
            ("publish: [\"8080:80\"]", "Write 'ports: [\"8080:80\"]'."),
            ("network: { forwarded_port: { guest: 80, host: 8080 } }", "Write 'ports: [\"8080:80\"]'."),
            ("synced_folder: [\".\", \"/vagrant\"]", "Write 'shares: [\".:/vagrant\"]'."),
            ("volumes: { source: src, target: /srv }", "Write 'shares: [\"src:/srv\"]'."),
            ("box_url: http://h/b.box", "Write 'box: http://h/b.box'."),
            ("box_version: 1", "Write 'box: { ref: NAME, version: \"1\" }'."),
            ("box_version: latest", "Write 'box: { ref: NAME, version: \">= 1\" }'."),
            ("healthcheck: {}", "Write 'ready: [{ run: COMMAND }]'."),
            ("restart: always", "Remove it: a machine runs until it is stopped."),
            ("inline: echo hi", "Write 'provision: [{ run: \"echo hi\" }]'."),
            ("path: setup.sh", "Write 'provision: [{ script: setup.sh }]'."),
            ("shell: {}", "Write 'provision: [{ run: COMMAND }]', or '{ script: FILE }' in it."),
            ("privileged: false", "Write 'as: user' in a step that is not to run as root."),
            ("services: {}", "Did you mean 'machines'?"),
            ("group: web", "Write 'labels: { group: NAME }'."),
            ("gui: true", "Remove it: a machine has no screen. 'wander console' is its console."),
            ("disks: []", "A machine has one disk in this version: 'disk: 40GiB' makes it larger."),
            ("virtualbox: { memory: 1024, cpus: 2 }", "Write 'memory: 1024MiB' and 'cpus: 2'."),
            ("libvirt: {}", "Remove it, since wander runs machines itself, on KVM where the host has it."),
            ("config.vm.box: debian/12", "Write 'box: debian/12'."),
            ("vb.memory: 2048", "Write 'memory: 2048MiB'."),
            ("config: { vm: { box: debian/12, hostname: web } }", "Write 'box: debian/12' and 'hostname: web'."),
            ("config.vm.usable_port_range: 2", "'wander schema --keys' lists what a Wanderfile has."),
        ])
    func machine(line: String, advice: String) throws {
        let problems = try Project("box: a\n\(line)\n").problems()
        #expect(problems.contains("Wanderfile:2:1: error: unknown key '\(line.prefix { $0 != ":" })' in a Wanderfile"))
        #expect(problems.hasSuffix("\n    \(advice)"), "\(problems)")
        #expect(problems.components(of: "error:") == 1, "\(problems)")
    }

    /// What the hint of a file's only problem says is to be written: between the first quote and the last.
    private func advised(_ text: String) throws -> String {
        let hint = try #require(try Project(text).problems().split(separator: "\n").last)
        return String(try #require(hint.firstMatch(of: /Write '(.*)'\./)?.1))
    }

    @Test(
        "what a hint says is to be written is accepted",
        arguments: [
            "forwarded_port: { guest: 53, host: 5353, protocol: udp, host_ip: 0.0.0.0 }",
            "forwarded_ports: [{ guest: 80 }, { guest: 443, host: 8443, auto_correct: true }]",
            "forwarded_port: { guest: 80, host_ip: 127.0.0.1 }", "ports: { guest: 80, host: 8080 }",
            "ports: { 8080: 80 }", "synced_folder: [\".\", \"/vagrant\"]", "inline: \"a: b\"", "vb.memory: 2048",
        ])
    func accepted(line: String) throws {
        let advice = try advised("box: a\n\(line)\n")
        #expect(try Project("box: a\n\(advice)\n").problems().isEmpty, "\(advice)")
    }

    @Test(
        "a value that means something else elsewhere is answered with the line to write, in one error",
        arguments: [
            (
                "provider: virtualbox", "'provider' must be one of auto, kvm, emulation, not 'virtualbox'",
                "Remove it, since wander runs machines itself, on KVM where the host has it."
            ),
            (
                "provider: qemu", "'provider' must be one of auto, kvm, emulation, not 'qemu'",
                "Write 'provider: emulation'."
            ),
            (
                "provider: { virtualbox: { memory: 512 } }", "unknown key 'virtualbox' in 'provider'",
                "Write 'memory: 512MiB'."
            ),
            (
                "provision: [{ script: s.sh, run: always }]", "'run' is the script of the step, not when it runs",
                "Write 'when: always'."
            ),
            (
                "provision: [{ name: a, run: never }]", "'run' is the script of the step, not when it runs",
                "Write 'when: manual'."
            ),
            (
                "provision: [{ run: a, when: never }]",
                "'when' must be one of changed, once, always, manual, not 'never'",
                "Write 'when: manual'."
            ),
            (
                "provision: [{ run: a, as: vagrant }]", "'as' must be one of root, user, not 'vagrant'",
                "Write 'as: user'."
            ),
            ("provision: [{ reboot: yes }]", "'reboot' must be true or false, not 'yes'", "Write 'reboot: true'."),
            ("provision: [reboot]", "'provision[0]' must be a map, not a single value", "Write '- reboot: true'."),
            ("ports: { guest: 80, host: 8080 }", "'ports' must be a list, not a map", "Write 'ports: [\"8080:80\"]'."),
            ("ports: [{ guest_port: 80 }]", "unknown key 'guest_port' in a port", "Write 'guest: 80'."),
        ])
    func values(line: String, message: String, advice: String) throws {
        let problems = try Project("box: a\n\(line)\n").problems()
        #expect(problems.contains("error: \(message)\n"), "\(problems)")
        #expect(problems.hasSuffix("\n    \(advice)"), "\(problems)")
        #expect(problems.components(of: "error:") == 1, "\(problems)")
    }

    @Test(
        "a setting of a Vagrantfile among the lines of a Wanderfile is answered with the line that says the same",
        arguments: [
            ("config.vm.box = \"debian/12\"", "Write 'box: debian/12'."),
            ("config.vm.hostname = 'web' # here", "Write 'hostname: web'."),
            ("vb.memory = 2048", "Write 'memory: 2048MiB'."),
            ("vb.cpus = 2", "Write 'cpus: 2'."),
            ("config.vm.network \"forwarded_port\", guest: 80, host: 8080", "Write 'ports: [\"8080:80\"]'."),
            ("config.vm.network :forwarded_port, :guest => 80, :host => 8080", "Write 'ports: [\"8080:80\"]'."),
            ("config.vm.synced_folder \".\", \"/vagrant\", type: \"nfs\"", "Write 'shares: [\".:/vagrant\"]'."),
            ("config.vm.provision \"shell\", path: \"setup.sh\"", "Write 'provision: [{ script: setup.sh }]'."),
            (
                "config.vm.provision \"shell\", inline: <<-SHELL",
                "Write 'provision: [{ run: COMMAND }]', or '{ script: FILE }' in it."
            ),
            (
                "config.vm.provider \"virtualbox\" do |vb|",
                "Remove it, since wander runs machines itself, on KVM where the host has it."
            ),
            ("config.vm.define \"web\" do |web|", "Write 'machines: { web: {} }'."),
            ("config.ssh.forward_agent = true", "Write 'ssh: { forward_agent: true }'."),
        ])
    func rubyLine(line: String, advice: String) throws {
        for text in ["\(line)\n", "box: a\n\(line)\n", "box: a\n\(line)\ncpus: 2\n"] {
            let problems = try Project(text).problems()
            #expect(problems.hasSuffix("\n    \(advice)"), "\(text)\(problems)")
            #expect(problems.components(of: "error:") == 1, "\(problems)")
        }
    }

    @Test("each such line gets its own answer, and one in a script none")
    func rubyLines() throws {
        let problems = try Project("config.vm.box = \"a\"\nconfig.vm.hostname = \"b\"\n").problems()
        #expect(problems.components(of: "this line is Ruby, from a Vagrantfile") == 2)
        let script = "box: a\nprovision:\n  - run: |\n      config.vm.box = \"a\"\n"
        #expect(try Project(script).problems().isEmpty)
        let other = try Project(script + "\tx: 1\n").problems()
        #expect(other.contains("a tab character indents this line"), "\(other)")
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

    @Test("an address is shown where it goes, at the top as in a machine, and the line is accepted there")
    func addresses() throws {
        for key in ["private_network: { ip: 192.168.33.10 }", "ip: 192.168.33.10", "address: 192.168.33.10"] {
            for frame in ["box: a\n%\n", "machines:\n  a:\n    box: b\n    %\n"] {
                let problems = try Project(frame.replacing("%", with: key)).problems()
                let line = "networks: [{ ip: 192.168.33.10 }]"
                #expect(problems.components(of: "error:") == 1)
                #expect(problems.hasSuffix("Write '\(line)'."), "\(problems)")
                #expect(try Project(frame.replacing("%", with: line)).problems().isEmpty)
            }
        }
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
        #expect(problems.components(of: "'wander schema --keys' lists what there is.") == 1)
        #expect(!problems.contains("Known keys:"))
        let port = try Project("box: a\nports: [{ guest: 80, qqqq: 1 }, { guest: 81, wwww: 2 }]\n").problems()
        #expect(port.components(of: "Known keys: bind, guest, host, name, on_conflict, proto.") == 1, "\(port)")
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
        let several =
            "Vagrant.configure(2) do |c|\n  c.vm.box = \"b\"\n  c.vm.define \"web\" do |w|\n  end\nend\n"
        #expect(try !Project(several).problems().contains("For this one"))
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
