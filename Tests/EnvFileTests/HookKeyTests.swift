import Testing

@testable import EnvFile

/// `hooks` and `tasks` of a Wanderfile.
@Suite struct HookKeyTests {
    @Test("hooks keep their order, and one value is the script")
    func hooks() throws {
        let text =
            "box: a\nhooks: { before_up: [one, { run: two, name: b, timeout: 10s, env: { A: x }, on_error: warn }], after_halt: [c] }"
        let environment = try Project(text).load()
        #expect(environment.hooks.map(\.name) == ["before_up-1", "b", "after_halt-1"])
        #expect(environment.hooks.map(\.timeout) == [.seconds(300), .seconds(10), .seconds(300)])
        #expect(environment.hooks.map(\.onError) == [.fail, .warn, .fail])
        #expect(environment.hooks[1].environment == ["A": "x"] && environment.hooks[1].script == "two")
        #expect(environment.machines[0].hooks.isEmpty)
        let again = try Project(environment.configurationText(origins: true)).load()
        #expect(again.hooks == environment.hooks)
    }

    @Test("events that there are not, and guests that do not run then, are refused")
    func refused() throws {
        func problems(_ hooks: String, ofMachine: Bool = true) throws -> String {
            try Project(ofMachine ? "machines: { web: { box: a, hooks: \(hooks) } }" : "box: a\nhooks: \(hooks)")
                .problems()
        }
        #expect(
            try problems("{ before_boot: [x] }").contains(
                "'before_boot' in 'hooks' must be before_ or after_ with up, halt"))
        #expect(try problems("{ before_up: [{ run: x, in: guest }] }").contains("no guest runs at 'before_up'"))
        #expect(try problems("{ after_destroy: [{ run: x, in: guest }] }").contains("no guest runs at 'after_destroy'"))
        #expect(try problems("{ after_up: [{ run: x, in: guest }], before_halt: [{ run: x, in: guest }] }").isEmpty)
        #expect(
            try problems("{ after_up: [{ run: x, in: guest }] }", ofMachine: false).contains(
                "a hook of the project runs on the host"))
        #expect(try problems("{ after_up: [{ inline: x }] }").contains("Write 'run: x'."))
    }

    @Test("tasks keep their order and know what they need")
    func tasks() throws {
        let text = """
            machines: { web: { box: a }, db: { box: a } }
            tasks:
              test: make test
              dump: { script: dump.sh, machine: db, as: root, dir: /srv, description: Dump it, env: { A: b } }
              here: { run: ls, in: host }
            """
        let environment = try Project(text).load()
        #expect(environment.tasks.map(\.name) == ["test", "dump", "here"])
        #expect(environment.tasks[0].script == .inline("make test") && environment.tasks[0].user == .login)
        #expect(environment.tasks[1].machine == "db" && environment.tasks[1].folder == "/srv")
        #expect(environment.tasks.map(\.place) == [.guest, .guest, .host])
        let again = try Project(environment.configurationText(origins: true)).load()
        #expect(again.tasks == environment.tasks)
        func problems(_ task: String) throws -> String { try Project("box: a\ntasks: { t: \(task) }").problems() }
        #expect(try problems("{ run: x, machine: no }").contains("there is no machine 'no'"))
        #expect(
            try problems("{ run: x, in: host, machine: default }").contains("a task of the host takes no 'machine'"))
        #expect(try problems("{ run: x, in: host }").isEmpty)
        #expect(try problems("{ run: x, script: y }").contains("takes only one of 'run', 'script'"))
    }
}
