import JSON
import Provider
import Reporting

/// What a command did to several machines: output for people or programs, and one error if any failed.
enum MachineResults {
    static func report(_ results: Schedule.Results<MachineOutcome>, _ context: CommandContext) throws {
        var failures: [(machine: String, error: any Error)] = []
        var documents: [JSONValue] = []
        for (machine, result) in results {
            switch result {
            case .success(let outcome):
                documents.append(document(outcome))
            case .failure(let error):
                failures.append((machine.name, error))
                documents.append(
                    [
                        "machine": .string(machine.name), "actions": [],
                        "error": Console.errorDocument(error)["error"] ?? .null,
                    ])
            }
        }
        if context.json { context.output("", json: ["machines": .array(documents)]) }
        guard let first = failures.first else { return }
        if failures.count == 1, results.count == 1 { throw first.error }
        // Each in full, since they may have nothing in common; then the sum.
        for failure in failures { context.console.report(failure.error, about: failure.machine) }
        throw ProviderError.several(failures)
    }

    private static func document(_ outcome: MachineOutcome) -> JSONValue {
        .object(
            [
                JSONMember("machine", .string(outcome.machine)),
                JSONMember("actions", .strings(outcome.actions.map(\.rawValue))),
                JSONMember("forwards", .array(outcome.forwards.map(forward))),
            ] + (outcome.snapshot.map { [JSONMember("snapshot", .string($0))] } ?? []))
    }

    static func forward(_ forward: MachineRecord.Forward) -> JSONValue { forward.publicJSON }
}
