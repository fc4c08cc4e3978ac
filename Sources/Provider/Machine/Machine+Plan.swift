import EnvFile
import Provisioning

extension Machine {
    /// What `up` would do.
    public func plan(_ provisioning: ProvisioningChoice) throws -> [String] {
        guard let definition else { throw ProviderError.notDefined(machine: name) }
        let (state, record) = try state()
        var steps: [String] = []
        switch state {
        case .damaged: _ = try existingRecord()
        case .notCreated, .incomplete:
            steps.append("create from \(definition.box)")
            steps.append("start")
        case .stopped: steps.append("start")
        case .paused: steps.append("resume")
        case .starting: steps.append("wait for SSH")
        case .running: break
        }
        if [.notCreated, .incomplete, .stopped].contains(state) { steps += plannedShares(definition) }
        if let record {
            let changes = DefinitionChanges(from: record.definition, to: definition.canonicalJSON)
            let verb = state == .stopped ? "apply" : "leave for 'wander reload'"
            steps += changes.needingRestart.map { "\(verb) \($0)" }
            steps += changes.needingDestroy.map { "leave for a new machine \($0)" }
        }
        let provisioners = try ProvisioningJob(self, definition).plan(record, provisioning, isStart: state != .running)
        return steps
            + provisioners.entries.compactMap { entry in
                guard case .run(let reason) = entry.decision else { return nil }
                return "run \(entry.step.title) (\(reason.rawValue))"
            }
    }
}
