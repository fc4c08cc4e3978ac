import EnvFile
import NetworkAddress
import Reporting
import Testing

/// `if` of machines and steps.
@Suite struct ConditionTests {
    private func project(_ text: String, _ variables: [String: String] = [:]) throws -> Project {
        let project = try Project(text)
        project.options.variables.merge(variables) { $1 }
        return project
    }

    @Test(
        "a value is yes or no, and two are compared",
        arguments: [
            ("${ON}", true), ("${OFF}", false), ("${EMPTY}", false), ("${UNSET}", false), ("${ZERO}", false),
            ("${NO}", false), ("${ROLE}", true), ("${UNSET:-yes}", true), ("true", true), ("false", false),
            ("${ROLE} == db", true), ("${ROLE}==db", true), ("${ROLE} == web", false), ("${ROLE} != web", true),
            ("${ROLE} != db", false), ("${ROLE} == \\\"db\\\"", true), ("${ROLE} == 'web'", false),
            ("db == ${ROLE}", true), ("${UNSET} == ${EMPTY}", true), ("${UNSET} != ''", false),
            ("${OPERATOR} == x", false), ("${OPERATOR} == 'x == x'", true), ("'${ROLE} or web' == 'db or web'", true),
            ("${machine.name} == default", true), ("${ROLE:-a == b} == db", true),
        ])
    func forms(condition: String, holds: Bool) throws {
        let project = try project(
            "box: a\nprovision: [{ run: first }, { if: \"\(condition)\", run: x }]\n",
            [
                "ON": "1", "OFF": "OFF", "ZERO": "0", "NO": "No", "EMPTY": "", "ROLE": "db", "OPERATOR": "x == x",
            ])
        #expect(try project.load().machines[0].provision.count == (holds ? 2 : 1), "\(condition)")
    }

    @Test("a machine that is left out is not there, is not looked at, and nothing waits for it")
    func machines() throws {
        let text = """
            defaults: { box: a }
            machines:
              web: { depends_on: [db, node, node-2] }
              db: { if: "${DB}", env: { TOKEN: "${TOKEN:?is needed}" } }
              node: { for_each: { 1: { on: no }, 2: { on: no } }, if: "${each.on}" }
            """
        let without = try project(text).load()
        #expect(without.machines.map(\.name) == ["web"])
        #expect(without.machines[0].dependsOn.isEmpty)
        #expect(try project(text, ["DB": "1", "TOKEN": "t"]).load().machines[0].dependsOn.map(\.machine) == ["db"])
        #expect(try project(text, ["DB": "1"]).problems().contains("'TOKEN' is not set: is needed"))
    }

    @Test("a row decides by its own columns, and the others keep their addresses")
    func rows() throws {
        let text = """
            box: a
            for_each: { a: { gpu: yes }, b: , c: { gpu: yes } }
            if: ${each.gpu}
            networks: [{ ip: 10.0.0.5 }]

            """
        let machines = try project(text).load().machines
        #expect(machines.map(\.name) == ["default-a", "default-c"])
        #expect(machines.map(\.index) == [1, 3])
        #expect(machines.compactMap { $0.networks.first?.address?.description } == ["10.0.0.5", "10.0.0.7"])
    }

    @Test("steps after one that is left out keep their names, and what is wrong with them keeps its place")
    func steps() throws {
        let project = try project(
            "box: a\nprovision:\n  - run: one\n  - { if: \"${NEVER}\", run: two }\n  - script: missing.sh\n")
        let environment = try project.load()
        #expect(environment.machines[0].provision.map(\.name) == ["step-1", "step-3"])
        let problem = environment.hostProblems(for: environment.machines).first
        #expect(problem?.location?.line == 5 && problem?.location?.column == 13)
        #expect(environment.origin(of: "machines.default.provision[1].script")?.line == 5)
    }

    @Test("a layer above sets and removes a condition")
    func layers() throws {
        let project = try project("defaults: { box: a }\nmachines: { a: {}, b: { if: \"${NEVER}\" } }\n")
        #expect(try project.load().machines.map(\.name) == ["a"])
        try project.write("machines: { a: { if: false }, b: { if: } }\n", to: "Wanderfile.local")
        #expect(try project.load().machines.map(\.name) == ["b"])
        project.options.overrides = ["machines.a.if=true"]
        #expect(try project.load().machines.map(\.name) == ["a", "b"])
    }
}
