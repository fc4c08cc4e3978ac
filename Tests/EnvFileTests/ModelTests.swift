import EnvFile
import JSON
import NetworkAddress
import Reporting
import SystemPackage
import Testing

@Suite struct ModelTests {
    @Test("a single line makes a machine with every default")
    func smallest() throws {
        let project = try Project("box: debian/12\n")
        let environment = try project.load()
        #expect(environment.name == "shop")
        #expect(environment.projectDirectory == project.folder)
        #expect(environment.networks == [.standard])
        let machine = try #require(environment.machines.first)
        #expect(environment.machines.count == 1)
        #expect(machine.name == "default")
        #expect(machine.box.source == .name("debian/12"))
        #expect(machine.hostname == "default")
        #expect(machine.cpus == 2)
        #expect(machine.memory == 1 << 30)
        #expect(machine.disk == nil)
        #expect(machine.user == nil)
        #expect(machine.ports.isEmpty)
        #expect(machine.networks.map(\.network) == ["nat"])
        #expect(machine.autostart)
        #expect(machine.bootTimeout == .seconds(300))
        #expect(machine.stopTimeout == .seconds(60))
        #expect(machine.provider.kind == .auto)
        #expect(machine.provider.emulation.translationCache == 256 << 20)
    }

    @Test("every key reaches the definition")
    func everything() throws {
        let text = """
            name: lab
            networks: { lab: { subnet: 10.77.0.0/24, internet: false } }
            defaults: { box: debian/12, env: { A: "1" } }
            machines:
              db: { memory: 1.5GiB }
              web:
                box: { ref: ./web.box, digest: "sha256:\(String(repeating: "ab", count: 32))" }
                hostname: www.example.test
                cpus: 4
                memory: 512M
                disk: 20GiB
                user: dev
                ssh: { port: 2222, forward_agent: true }
                ports:
                  - 8080:80
                  - 0.0.0.0:5353:53/udp
                  - 9000-9001:9000-9001
                  - { guest: 443, host: 8443, name: site, on_conflict: next }
                  - 7000
                host_ports: [5432, 8000-8010, 53/udp, all]
                networks: [{ name: lab, ip: 10.77.0.10 }]
                env: { B: no }
                files:
                  - { path: /etc/motd, content: "hi ${USER}", mode: 0600, owner: "dev:dev" }
                  - { path: /etc/two, source: files/two }
                provision:
                  - name: tools
                    run: |
                      echo ${HOME} $$
                    args: [a, b]
                    env: { C: d }
                    as: user
                    when: always
                    timeout: 1h30m
                    sensitive: true
                    tty: true
                  - script: scripts/setup.sh
                    timeout: never
                  - { name: again, reboot: true, when: always }
                ready: [{ tcp: 5432, timeout: 5s, interval: 500ms, hint: look }, { file: /run/x }]
                depends_on: [db]
                autostart: false
                primary: true
                stop: { timeout: 10s }
                boot_timeout: 2m
                message: "http://localhost"
                labels: { team: shop }
                provider: { type: emulation, emulation: { cpu: qemu64, cache: 64MiB } }
            """
        let project = try Project(text)
        let environment = try project.load()
        #expect(environment.name == "lab")
        #expect(environment.networks.first?.subnet?.description == "10.77.0.0/24")
        #expect(environment.networks.first?.internet == false)
        let database = try #require(environment.machine(named: "db"))
        #expect(database.memory == 1536 << 20)
        #expect(database.environment == ["A": "1"])
        let web = try #require(environment.machine(named: "web"))
        guard case .path(let path) = web.box.source else {
            Issue.record("the box is no path")
            return
        }
        #expect(path.resolved(in: environment.projectDirectory) == project.folder.appending("web.box"))
        #expect(web.hostname == "www.example.test")
        #expect(web.cpus == 4)
        #expect(
            web.hostPorts == [
                .range(5432...5432, .tcp), .range(8000...8010, .tcp), .range(53...53, .udp), .all,
            ])
        #expect(database.hostPorts.isEmpty)
        #expect(
            environment.warnings.map(\.message) == ["'host_ports' has no effect in a network with 'internet: false'"])
        #expect(web.disk == 20 << 30)
        #expect(web.user == "dev")
        #expect(web.ssh.port == 2222)
        #expect(web.ssh.forwardAgent)
        #expect(
            web.ports.map(\.text) == [
                "127.0.0.1:8080:80/tcp", "0.0.0.0:5353:53/udp", "127.0.0.1:9000:9000/tcp", "127.0.0.1:9001:9001/tcp",
                "127.0.0.1:8443:443/tcp", "127.0.0.1:any:7000/tcp",
            ])
        #expect(web.ports[4].name == "site")
        #expect(web.ports[4].onConflict == .next)
        #expect(web.networks.first?.address?.description == "10.77.0.10")
        #expect(web.environment == ["A": "1", "B": "no"])
        #expect(web.files.map(\.mode) == [0o600, 0o644])
        #expect(web.files.first?.content == .text("hi ${USER}"))
        let tools = try #require(web.provision.first)
        #expect(tools.action == .inline("echo ${HOME} $$\n"))
        #expect(tools.arguments == ["a", "b"])
        #expect(tools.environment == ["C": "d"])
        #expect(tools.user == .login)
        #expect(tools.when == .always)
        #expect(tools.timeout == .seconds(5400))
        #expect(tools.isSensitive && tools.hasTerminal && !tools.mayRestart)
        #expect(web.provision.map(\.name) == ["tools", "step-2", "again"])
        #expect(web.provision[1].timeout == nil)
        #expect(web.provision[1].hasTerminal == false)
        #expect(web.provision[2].action == .restart && web.provision[2].when == .always)
        #expect(web.ready.map(\.name) == ["tcp 5432", "file /run/x"])
        #expect(web.ready.first?.interval == .milliseconds(500))
        #expect(web.dependsOn.map(\.machine) == ["db"])
        #expect(web.dependsOn.first?.condition == .ready)
        #expect(!web.autostart)
        #expect(environment.primaryMachine?.name == "web")
        #expect(web.stopTimeout == .seconds(10))
        #expect(web.labels == ["team": "shop"])
        #expect(web.provider.kind == .emulation)
        #expect(web.provider.emulation.processor == "qemu64")
        #expect(try DependencyOrder.sorted(environment.machines).map(\.name) == ["db", "web"])
    }

    @Test("addresses with the machine's number in them are each machine's own, not counted up once more")
    func countedAddresses() throws {
        let project = try Project(
            """
            networks: { lan: { subnet: 192.168.56.0/24 } }
            machines:
              n: { box: a, count: 3, networks: [{ name: lan, ip: "192.168.56.2${machine.index}" }] }
              m: { box: a, count: 2, networks: [{ name: lan, ip: 192.168.56.100 }] }

            """)
        let addresses = try project.load().machines.map { $0.networks.first?.address?.description }
        #expect(
            addresses == ["192.168.56.21", "192.168.56.22", "192.168.56.23", "192.168.56.100", "192.168.56.101"])
    }

    @Test("count makes numbered machines, addresses run on, and dependencies mean the whole group")
    func count() throws {
        let environment = try Project(
            """
            networks: { lab: { subnet: 10.77.0.0/24 } }
            defaults: { box: debian/12 }
            machines:
              app: { depends_on: { node: { condition: started } } }
              node:
                count: 2
                networks: [{ name: lab, ip: 10.77.0.20 }]
                env: { N: "${machine.index} of ${machine.name}" }
            """
        ).load()
        #expect(environment.machines.map(\.name) == ["app", "node-1", "node-2"])
        #expect(environment.machines[2].networks.first?.address?.description == "10.77.0.21")
        #expect(environment.machines[2].environment == ["N": "2 of node-2"])
        #expect(environment.machines[0].dependsOn.map(\.machine) == ["node-1", "node-2"])
        #expect(try DependencyOrder.sorted(environment.machines).map(\.name) == ["node-1", "node-2", "app"])
        #expect(environment.machines.map(\.group) == ["app", "node", "node"])
    }

    @Test("a definition does not change when the project moves")
    func movable() throws {
        let text = "box: ./a.box\nprovision: [{ script: ../shared/x.sh }, { script: a/b.sh }]\n"
        let first = try Project(text).load()
        let second = try Project(text).load()
        #expect(first.projectDirectory != second.projectDirectory)
        #expect(first.machines[0].canonicalJSON["box"] == second.machines[0].canonicalJSON["box"])
        #expect(first.machines[0].provision[1] == second.machines[0].provision[1])
    }
}
