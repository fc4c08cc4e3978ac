import EnvFile
import JSON
import LinuxSystem
import Provisioning
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// A box says which steps are done in it, and not what a sensitive one was given.
@Suite struct SensitiveStepTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func definition() throws -> MachineDefinition {
        _ = try folder.file(
            "Wanderfile",
            Array(
                """
                box: a
                provision:
                  - { name: plain, run: "true" }
                  - { name: secret, run: "true", env: { TOKEN: tr0ub4dor }, sensitive: true }
                """.utf8))
        return try EnvironmentLoader(.init(workingDirectory: folder.path)).load().machines[0]
    }

    @Test("only what cannot be guessed from leaves the machine; a step that is no longer in the file may have been one")
    func leaving() throws {
        let definition = try definition()
        func kept(_ name: String, _ definition: MachineDefinition?) -> String {
            StepRecord(name: name, hash: "abc", state: .succeeded, started: 0).forBox(of: definition).hash
        }
        #expect(kept("plain", definition) == "abc")
        #expect(kept("secret", definition).isEmpty)
        #expect(kept("gone", definition).isEmpty)
        #expect(kept("plain", nil).isEmpty)
        #expect(kept("file /etc/motd", nil) == "abc")
    }

    @Test(
        "in a machine of the box a sensitive step counts as done as it is defined now, and runs again once it changes")
    func arriving() throws {
        let definition = try definition()
        let steps = definition.provisioningSteps(in: folder.path)
        let records = JSONValue.array(
            ["plain", "secret"].map { StepRecord(name: $0, hash: "", state: .succeeded, started: 1).json })
        let adopted = try #require(definition.adopted(records, in: folder.path).arrayValue)
            .map { try StepRecord($0, path: "test") }
        #expect(adopted.map(\.hash) == ["", try steps[1].definitionHash()])
        let secret = steps[1]
        let hash = try secret.definitionHash()
        #expect(secret.decision(.needed, record: adopted[1], hash: hash, isStart: true) == .skip(.succeeded))
        #expect(secret.decision(.needed, record: adopted[1], hash: "other", isStart: true) == .run(.changed))
        // Who takes the hash out of a box cannot make a step that is not sensitive look done.
        #expect(steps[0].decision(.needed, record: adopted[0], hash: hash, isStart: true) == .run(.changed))
    }
}
