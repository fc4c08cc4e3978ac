import EnvFile
import Reporting

extension Machine {
    /// Restarts the machine with what the Wanderfile says now.
    public func reload(_ options: UpOptions, _ mode: HaltMode) throws -> MachineOutcome {
        guard let definition else { throw ProviderError.notDefined(machine: name) }
        return try exclusively {
            var record = try existingRecord()
            let changes = DefinitionChanges(from: record.definition, to: definition.canonicalJSON)
            for change in changes.needingRestart { report(.step("applying \(change)")) }
            for change in changes.needingDestroy {
                report(.warning("\(change) takes a new machine: wander destroy \(name) && wander up \(name)"))
            }
            try stop(&record, mode)
            var outcome = try bringUp(definition, options)
            outcome.actions = outcome.actions.map { $0 == .started ? .restarted : $0 }
            return outcome
        }
    }
}
