import EnvFile
import Testing

/// What a hostile file may make wander do. How long it takes is measured by Benchmarks/wanderfile.
@Suite struct LimitTests {
    @Test(
        "each limit has its own message",
        arguments: [
            ("box: a\nenv: {\(list(1001) { "K\($0): v" })}", "'env' has more than 1000 entries"),
            ("box: a\nports: [\(list(1001) { "\($0 + 1)" })]", "'ports' has more than 1000 items"),
            ("box: a\nports: [\"1-1025:1-1025\"]", "'ports' has more than 1024 ports"),
            (
                "defaults: { box: a }\nmachines: {\(list(5) { "m\($0): { ports: ['\($0 + 1)000-\($0 + 1)999:1000-1999'] }" })}",
                "more than 4096 forwarded ports"
            ),
            ("defaults: { box: a }\nmachines: {\(list(257) { "m\($0): {}" })}", "more than 256 machines"),
            ("defaults: { box: a, count: 64 }\nmachines: {\(list(5) { "m\($0): {}" })}", "more than 256 machines"),
            (
                "defaults: { box: a, labels: {\(list(900) { "k\($0): v" })} }\nmachines: {\(list(60) { "m\($0): {}" })}",
                "more than 50000 values, with 'defaults' counted for each machine"
            ),
            (
                "box: a\nx-a: [\(list(100_001) { _ in "1" })]",
                "more than 100000 values, with every alias counted in full"
            ),
            ("box: a\nx-a: \(String(repeating: "{a: ", count: 200))", "nested deeper than 64 levels"),
        ])
    func limit(text: String, message: String) throws {
        #expect(try Project(text).problems().contains("error: \(message)"))
    }

    @Test("what a limit allows is allowed")
    func allowed() throws {
        let ports = try Project("box: a\nports: [\"1-1024:1-1024\"]\n").load().machines[0].ports
        #expect(ports.count == 1024)
        #expect(ports.last?.text == "127.0.0.1:1024:1024/tcp")
        #expect(
            try Project("defaults: { box: a }\nmachines: {\(list(256) { "m\($0): {}" })}").load().machines.count == 256)
    }

    @Test("a circle of dependencies as long as there may be machines is found")
    func longCircle() throws {
        let machines = list(256) { "m\($0): { depends_on: [m\(($0 + 1) % 256)] }" }
        let problems = try Project("defaults: { box: a }\nmachines: {\(machines)}").problems()
        #expect(problems.contains("the machines depend on each other in a circle: m0 -> m1 -> "))
    }
}

private func list(_ count: Int, _ item: (Int) -> String) -> String { (0..<count).map(item).joined(separator: ", ") }
