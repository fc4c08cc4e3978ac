import EnvFile
import NetworkAddress
import Reporting
import Testing

/// Machines that one entry of the file makes: `count`, `for_each`, their names and their addresses.
@Suite struct MachineGroupTests {
    private func environment(_ machines: String, top: String = "") throws -> Environment {
        try Project("\(top)defaults: { box: a }\nmachines:\n  node: \(machines)\n").load()
    }

    private func addresses(_ environment: Environment) -> [String] {
        environment.machines.map { $0.networks.first?.address?.description ?? "none" }
    }

    @Test("a loop of a Vagrantfile over a range, with names and addresses that are counted, is three lines")
    func loop() throws {
        let environment = try environment(
            "{ for_each: 1-3, names: \"node${each.key}\", hostname: \"n${each.key}.test\", networks: [{ ip: 192.168.56.11 }] }"
        )
        #expect(environment.machines.map(\.name) == ["node1", "node2", "node3"])
        #expect(environment.machines.map(\.hostname) == ["n1.test", "n2.test", "n3.test"])
        #expect(addresses(environment) == ["192.168.56.11", "192.168.56.12", "192.168.56.13"])
        #expect(environment.machines.map(\.group) == ["node", "node", "node"])
        #expect(environment.machines.map(\.index) == [1, 2, 3])
        #expect(environment.networks.first?.subnet?.description == "192.168.56.0/24")
    }

    @Test(
        "rows are a map, a list or a range, and name the machines",
        arguments: [
            ("[alpha, beta]", "node-alpha node-beta", "alpha/alpha beta/beta"),
            ("1-2", "node-1 node-2", "1/1 2/2"), ("09-11", "node-09 node-10 node-11", "09/09 10/10 11/11"),
            ("\"8-${LAST}\"", "node-8 node-9", "8/8 9/9"), ("[01, 2]", "node-01 node-2", "01/01 2/2"),
            ("{ a: x, b: \"${LAST}\" }", "node-a node-b", "a/x b/9"),
            ("{ a: { value: x }, b: { value: y, other: z } }", "node-a node-b", "a/x b/y"),
            ("{ a: { other: z }, b: }", "node-a node-b", "a/- b/-"),
        ])
    func rows(rows: String, names: String, values: String) throws {
        let environment = try environment(
            "{ for_each: \(rows), env: { V: \"${each.key}/${each.value:--}\" } }", top: "vars: { LAST: 9 }\n")
        #expect(environment.machines.map(\.name).joined(separator: " ") == names)
        #expect(environment.machines.compactMap { $0.environment["V"] }.joined(separator: " ") == values)
    }

    @Test("columns go into any value of the machine, and only there")
    func columns() throws {
        let environment = try Project(
            """
            machines:
              node:
                for_each:
                  web: { image: debian/12, memory: 2GiB, port: 8080, ip: 10.0.0.20 }
                  db: { image: tiny, memory: 4GiB, port: 5432, ip: 10.0.0.10 }
                names: ${each.key}
                box: ${each.image}
                memory: ${each.memory}
                cpus: ${each.cpus:-3}
                ports: ["${each.port}:80"]
                networks: [{ ip: "${each.ip}" }]
                provision: [{ name: "set up ${each.key}", run: "echo ${each.key}" }]
              other: { box: a, depends_on: [node] }
            """
        ).load()
        #expect(environment.machines.map(\.name) == ["web", "db", "other"])
        #expect(environment.machines.map(\.box.description) == ["debian/12", "tiny", "a"])
        #expect(environment.machines.map(\.memory) == [2 << 30, 4 << 30, 1 << 30])
        #expect(environment.machines.map(\.cpus) == [3, 3, 2])
        #expect(environment.machines.flatMap(\.ports).map(\.hostPort) == [8080, 5432])
        #expect(addresses(environment) == ["10.0.0.20", "10.0.0.10", "none"])
        #expect(environment.machines[1].provision.map(\.name) == ["set up db"])
        #expect(environment.machines[1].provision.map(\.action) == [.inline("echo ${each.key}")])
        #expect(environment.machines[2].dependsOn.map(\.machine) == ["web", "db"])
    }

    @Test("rows of a layer above change, add and remove single rows; a list and a range replace")
    func layers() throws {
        let project = try Project(
            "box: a\nfor_each: { a: { m: 1 }, b: { m: 2 }, c: }\nenv: { M: \"${each.m:-none}\" }\n")
        func values() throws -> [String] {
            try project.load().machines.map { "\($0.name)=\($0.environment["M"] ?? "")" }
        }
        #expect(try values() == ["default-a=1", "default-b=2", "default-c=none"])
        try project.write("for_each: { b: { m: 3 }, c: null, d: {} }\n", to: "Wanderfile.local")
        #expect(try values() == ["default-a=1", "default-b=3", "default-d=none"])
        try project.write("for_each: [x]\n", to: "Wanderfile.local")
        #expect(try values() == ["default-x=none"])
    }

    @Test("'count' takes names and a list of addresses, too")
    func count() throws {
        let environment = try environment(
            "{ count: 2, names: \"node0${machine.index}\", networks: [{ ip: [10.0.0.20, 10.0.0.10] }] }")
        #expect(environment.machines.map(\.name) == ["node01", "node02"])
        #expect(addresses(environment) == ["10.0.0.20", "10.0.0.10"])
        #expect(environment.origin(of: "machines.node02.networks[0].ip")?.description == "Wanderfile:3:82")
        let rows = try self.environment("{ for_each: [a, b], networks: [{ ip: [10.0.0.4, 10.0.0.9] }] }")
        #expect(addresses(rows) == ["10.0.0.4", "10.0.0.9"])
    }

    @Test("the configuration of such machines is a Wanderfile of the same environment")
    func roundTrip() throws {
        let environment = try environment(
            "{ for_each: { a: 10.0.0.4, b: 10.0.0.9 }, networks: [{ ip: \"${each.value}\" }] }")
        for origins in [false, true] {
            let again = try Project(environment.configurationText(origins: origins)).load()
            #expect(again.canonicalJSON == environment.canonicalJSON)
        }
    }

    @Test("a single machine has its address at the top, with or without the network's name, and a layer changes it")
    func atTop() throws {
        let project = try Project("box: a\nnetworks: [{ ip: 192.168.33.10 }]\n")
        #expect(try addresses(project.load()) == ["192.168.33.10"])
        #expect(try project.load().networks.map(\.name) == ["nat"])
        #expect(try project.load().networks.map(\.subnet?.description) == ["192.168.33.0/24"])
        try project.write("networks: [{ ip: 192.168.44.10 }]\n", to: "Wanderfile.local")
        #expect(try addresses(project.load()) == ["192.168.44.10"])
        let named = try Project("box: a\nnetworks: [{ name: lan, ip: 192.168.33.10 }]\n").load()
        #expect(named.networks.map(\.name) == ["lan"])
        #expect(named.machines[0].networks.map(\.network) == ["lan"])
        #expect(try Project("box: a\nnetworks: [lan]\n").load().networks.map(\.name) == ["lan"])
    }

    @Test("an address without a network's name merges with the only place that there is")
    func merging() throws {
        let project = try Project(
            "networks: { lan: { subnet: 10.0.0.0/24 } }\nmachines: { web: { box: a, networks: [{ name: lan, ip: 10.0.0.5 }] } }\n"
        )
        try project.write("machines: { web: { networks: [{ ip: 10.0.0.6 }] } }\n", to: "Wanderfile.local")
        #expect(try addresses(project.load()) == ["10.0.0.6"])
    }

    @Test("a table that is too long ends at the limit, at once", arguments: ["1-999999999", "1-257"])
    func limit(range: String) throws {
        let problems = try Project("box: a\nfor_each: \(range)\n").problems()
        #expect(problems.contains("'for_each' makes more than 256 machines"), "\(problems)")
        let map = "{ \((0...256).map { "r\($0): x" }.joined(separator: ", ")) }"
        #expect(try Project("box: a\nfor_each: \(map)\n").problems().contains("makes more than 256 machines"))
        #expect(try Project("box: a\nfor_each: 1-256\n").load().machines.count == 256)
    }
}
