import EnvFile
import LinuxSystem
import Provisioning
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// Where the secrets of steps come from, and what is said when one is not there.
@Suite struct StepSecretsTests {
    private func secrets(_ source: String) throws -> (LifeFixture, StepSecrets) {
        let life = try LifeFixture("secrets: { TOKEN: \(source), OTHER: { run: exit 1 } }")
        let machine = try life.machine()
        return (life, StepSecrets(machine, try #require(machine.definition)))
    }

    private func step(_ names: String...) -> ProvisioningStep {
        var action = ShellAction(script: .bytes([]))
        action.secrets = names
        return ProvisioningStep(name: "step", action: .shell(action))
    }

    @Test("only what a step names is read; line breaks at its end are no part of it")
    func values() throws {
        let (life, command) = try secrets(
            "{ run: \"printf 'from %s\\\\r\\\\n\\\\n' \\\"$(basename \\\"$PWD\\\")\\\"\" }")
        #expect(try command.values(for: [step("TOKEN")]) == ["TOKEN": "from project"])
        #expect(try command.values(for: [step()]) == [:])
        let (other, file) = try secrets("{ file: token }")
        _ = try other.folder.file("project/token", Array("a\nb\n".utf8))
        #expect(try file.values(for: [step(), step("TOKEN")]) == ["TOKEN": "a\nb"])
        let (last, variable) = try secrets("{ env: PATH }")
        #expect(try variable.values(for: [step("TOKEN")])["TOKEN"] == environmentVariable("PATH"))
        withExtendedLifetime((life, last)) {}
    }

    @Test(
        "what is not there, or no secret, is an error with the name of the secret and never with its value",
        arguments: [
            ("{ env: WANDER_TEST_NONE }", "the environment has no 'WANDER_TEST_NONE'"),
            ("{ file: none }", "cannot read none"), ("{ run: \"echo half; exit 3\" }", "failed with status 3"),
            ("{ run: \"true\" }", "is empty"), ("{ run: \"printf 'a\\\\0b'\" }", "is no text"),
        ])
    func errors(_ source: String, _ reason: String) throws {
        let (life, secrets) = try secrets(source)
        #expect {
            try secrets.values(for: [step("TOKEN")])
        } throws: { error in
            guard let error = error as? SecretError else { return false }
            return error.summary.contains("'TOKEN'") && error.summary.contains(reason)
                && !error.summary.contains("half")
        }
        withExtendedLifetime(life) {}
    }

    @Test("the package's search takes what can be read, and says what cannot")
    func readable() throws {
        let (life, secrets) = try secrets("{ run: echo value }")
        #expect(secrets.readable() == ["value"])
        withExtendedLifetime(life) {}
    }
}
