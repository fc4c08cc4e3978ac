import EnvFile
import JSON
import Provisioning
import SystemPackage

extension StepRecord {
    /// The record as a box has it. The hash of a sensitive step would tell whoever has the box when a guess of its
    /// secret is right, so it stays behind; a step that the Wanderfile no longer has may have been sensitive.
    func forBox(of definition: MachineDefinition?) -> StepRecord {
        let step = definition?.provision.first { $0.name == name }
        guard step?.isSensitive ?? !name.hasPrefix("file ") else { return self }
        var record = self
        record.hash = ""
        return record
    }
}

extension MachineDefinition {
    /// What a box says of the steps that are done in it. Of sensitive ones it does not say how they were defined: they
    /// count as done, with the definition of now.
    func adopted(_ records: JSONValue, in project: FilePath, _ environment: Environment? = nil) -> JSONValue {
        let steps = Dictionary(
            provisioningSteps(in: project, of: environment).map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first })
        let known = (records.arrayValue ?? []).compactMap { try? StepRecord($0, path: "provisioning") }
        return .array(
            known.map { record in
                var record = record
                if record.hash.isEmpty, let step = steps[record.name], step.isSensitive {
                    record.hash = (try? step.definitionHash()) ?? ""
                }
                return record.json
            })
    }
}
