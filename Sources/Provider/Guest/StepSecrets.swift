import EnvFile
import LinuxSystem
import Provisioning
import Reporting
import SystemPackage

/// Reads the secrets that steps are about to need. They are kept in this process alone.
struct StepSecrets {
    /// In bytes.
    private static let limit = 1 << 16

    let machine: Machine
    let definition: MachineDefinition

    init(_ machine: Machine, _ definition: MachineDefinition) {
        self.machine = machine
        self.definition = definition
    }

    /// The values of those that the steps name.
    func values(for steps: [ProvisioningStep]) throws -> [String: String] {
        let wanted = Set(
            steps.flatMap { step in
                switch step.action {
                case .shell(let shell): shell.secrets
                case .playbook(let playbook): playbook.secrets
                case .file, .restart: [String]()
                }
            })
        var values: [String: String] = [:]
        for secret in definition.secrets where wanted.contains(secret.name) {
            values[secret.name] = try value(secret)
        }
        return values
    }

    /// The values of all that can be read now, to look for them. It is said which cannot.
    func readable() -> [String] {
        definition.secrets.compactMap { secret in
            do { return try value(secret) } catch {
                machine.report(
                    .warning("\(secret.name) is not looked for: \((error as? SecretError)?.reason ?? error.inWords)"))
                return nil
            }
        }
    }

    private func value(_ secret: SecretDefinition) throws -> String {
        let place = machine.project.environment.projectDirectory
        var bytes: [UInt8]
        switch secret.source {
        case .environment(let name):
            guard let value = environmentVariable(name), !value.isEmpty else {
                throw SecretError(secret.name, "the environment has no '\(name)'", "\(name)=VALUE wander up")
            }
            return value
        case .file(let path):
            do {
                bytes = try machine.writableFolders(definition).read(path, in: place, limit: Self.limit + 2)
            } catch let error as SystemError {
                throw SecretError(secret.name, "cannot read \(path): \(error.inWords)")
            }
        case .command(let command):
            machine.report(.step("asking for the secret \(secret.name)"))
            bytes = try output(of: command, secret, in: place)
        }
        while bytes.last == UInt8(ascii: "\n") || bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty else { throw SecretError(secret.name, "its value is empty") }
        guard bytes.count <= Self.limit else { throw SecretError(secret.name, "its value is longer than 64 KiB") }
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw SecretError(secret.name, "its value is no text")
        }
        return text
    }

    /// What a command of the host prints. What it says beside that is shown: why it fails, or what it waits for.
    private func output(of text: String, _ secret: SecretDefinition, in place: FilePath) throws -> [UInt8] {
        var command = HostCommand(["/bin/sh", "-c", text])
        command.directory = place
        var printed: [UInt8] = []
        var said = OutputLines(.none)
        let ending = try command.run(cancellation: machine.project.cancellation) { stream, bytes in
            switch stream {
            case .output: printed += bytes.prefix(max(0, Self.limit + 2 - printed.count))
            case .error: for line in said.add(bytes) { machine.report(.output(line)) }
            }
        }
        if let line = said.finish() { machine.report(.output(line)) }
        switch ending {
        case .ended(.exited(0)): return printed
        case .ended(let outcome):
            throw SecretError(secret.name, "its command failed with status \(outcome.shellStatus)")
        case .interrupted, .timedOut: throw Interruption()
        }
    }
}

/// Why a step does not get a secret.
struct SecretError: UserFacingError {
    let name: String
    let reason: String
    let advice: String?

    init(_ name: String, _ reason: String, _ advice: String? = nil) {
        (self.name, self.reason, self.advice) = (name, reason, advice)
    }

    var summary: String { "there is no secret '\(name)' for the steps that need it: \(reason)" }
    var remedy: String? { advice }
    var kind: ErrorKind { .provisioningFailed }
}
