import JSON
import Testing

@testable import EnvFile

/// `ansible` at the top of a Wanderfile.
@Suite struct AnsibleKeyTests {
    private static let machines = "machines: { web: { box: a, count: 2 }, db: { box: a } }\n"

    private func problems(_ ansible: String) throws -> String {
        try Project(Self.machines + "ansible: \(ansible)\n").problems()
    }

    @Test("values for Ansible keep their kind, and variables in them are filled in")
    func values() throws {
        let text = """
            box: a
            vars: { PORT: "80" }
            ansible:
              vars: { a: "${PORT}", b: 80, c: yes, d: "yes", e: [1.5, { f: null }], g: 0755, h: off, i: 1.2.3, j: "80" }
            """
        let variables = JSONValue.object(try Project(text).load().ansible.variables)
        #expect(
            variables == [
                "a": "80", "b": 80, "c": true, "d": "yes", "e": [.number(1.5), ["f": nil]], "g": "0755", "h": false,
                "i": "1.2.3", "j": "80",
            ])
    }

    @Test("'config' prints the same values again")
    func roundTrip() throws {
        let text =
            Self.machines + """
                ansible:
                  groups: { g: ["web-*"], h: { children: [g], vars: { x: [1, yes, "yes", "a$$b", { y: null, z: {} }] } } }
                  host_vars: { web: { q: "12", r: [] } }
                """
        let environment = try Project(text).load()
        let again = try Project(environment.configurationText(origins: true)).load()
        #expect(again.canonicalJSON == environment.canonicalJSON)
        #expect(again.ansible.groups.map(\.machines) == [["web-1", "web-2"], []])
        #expect(again.ansible.hostVariables.map(\.name) == ["web-1", "web-2"])
    }

    @Test("what names nothing is refused where it is")
    func unknown() throws {
        #expect(try problems("{ groups: { g: [wob] } }").contains("Wanderfile:2:26: error: there is no machine 'wob'"))
        #expect(try problems("{ groups: { g: [web] } }").isEmpty)
        #expect(try problems("{ host_vars: { dbb: { a: 1 } } }").contains("Did you mean 'db'?"))
        #expect(try problems("{ groups: { g: { children: [h] } } }").contains("there is no group 'h'"))
        #expect(try problems("{ groups: { all: [db] } }").contains("'all' is a group of Ansible's own"))
        #expect(try problems("{ groups: { db: [web] } }").contains("the group 'db' has the name of a machine"))
        #expect(try problems("{ groups: { a: { children: [b] }, b: { children: [a] } } }").contains("in a circle"))
        #expect(try problems("{ groups: { a-b: [db] } }").contains("'a-b' in 'groups' must be a name"))
    }

    @Test("a value of too many is refused")
    func large() throws {
        let list = "[" + Array(repeating: "1", count: ValueReader.freeLimit).joined(separator: ",") + "]"
        #expect(try problems("{ vars: { a: \(list) } }").contains("more than 10000 values in one"))
    }
}
