import EnvFile
import SSH

extension Machine {
    /// Runs the provisioners that the choice asks for.
    /// - Returns: Whether any ran.
    func provision(
        _ record: inout MachineRecord, _ definition: MachineDefinition, _ choice: ProvisioningChoice, hasStarted: Bool,
        session: inout SSHSession?
    ) throws -> Bool {
        false
    }

    func waitUntilProbesPass(
        _ record: MachineRecord, _ definition: MachineDefinition, _ session: inout SSHSession?
    ) throws {
    }

    func provisioningSummary(_ record: MachineRecord) -> String? { nil }

    func plannedProvisioners(
        _ record: MachineRecord?, _ definition: MachineDefinition, _ choice: ProvisioningChoice, starts: Bool
    ) throws -> [String] {
        []
    }
}

extension Machine {
    /// Runs provisioners of a machine that runs.
    public func provision(_ choice: ProvisioningChoice) throws -> MachineOutcome {
        guard let definition else { throw ProviderError.notDefined(machine: name) }
        return try exclusively {
            var record = try runningRecord()
            var session: SSHSession?
            if !record.isReady { session = try becomeReady(&record, definition) }
            defer { session?.close() }
            let ran = try provision(&record, definition, choice, hasStarted: false, session: &session)
            return MachineOutcome(machine: name, actions: [ran ? .provisioned : .unchanged])
        }
    }
}
