import JSON
import Provider
import Reporting

/// What a command did to several machines: output for people or programs, and one error if any failed.
enum MachineResults {
    /// The machines that a command has started.
    static func started(_ results: Schedule.Results<MachineOutcome>) -> Set<String> {
        Set(
            results.compactMap { machine, result in
                guard case .success(let outcome) = result else { return nil }
                return outcome.actions.contains { [.started, .restarted].contains($0) } ? machine.name : nil
            })
    }

    static func report(_ results: Schedule.Results<MachineOutcome>, _ context: CommandContext) throws {
        var failures: [MachineFailure] = []
        var skipped: [SkippedMachine] = []
        var documents: [JSONValue] = []
        for (machine, result) in results {
            switch result {
            case .success(let outcome):
                documents.append(document(outcome))
            case .failure(let error):
                if let error = error as? SkippedMachine {
                    skipped.append(error)
                } else {
                    failures.append(MachineFailure(machine: machine.name, error: error))
                }
                documents.append(
                    [
                        "machine": .string(machine.name), "actions": [],
                        "error": Console.errorDocument(error)["error"] ?? .null,
                    ])
            }
        }
        if context.json { context.output("", json: ["machines": .array(documents)]) }
        guard let first = failures.first else { return }
        if results.count == 1 { throw first.error }
        let interrupted = failures.filter { $0.kind == .interrupted }
        guard interrupted.isEmpty else { throw interruption(interrupted, failures, context) }
        for machine in skipped { context.console.report(.warning(machine.summary)) }
        if failures.count == 1 { throw first }
        // Each in full, since they may have nothing in common; then the sum.
        for failure in failures { context.console.report(failure) }
        throw ProviderError.several(failures.map { ($0.machine, $0.error) })
    }

    /// What is left to be thrown when the user asked to stop: that is one event, however many machines it stopped, and
    /// no failure of those that were not begun. What failed by itself, or was cut off in its midst, is told before.
    private static func interruption(
        _ interrupted: [MachineFailure], _ failures: [MachineFailure], _ context: CommandContext
    ) -> any Error {
        for failure in failures where failure.kind != .interrupted { context.console.report(failure) }
        var cutOff = interrupted.filter { $0.remedy != nil }
        guard let last = cutOff.popLast() else { return Interruption() }
        for failure in cutOff { context.console.report(failure) }
        return last
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

/// What went wrong with one of several machines. Its name comes first, unless the error begins with it.
struct MachineFailure: UserFacingError {
    let machine: String
    let error: any Error

    private var known: (any UserFacingError)? { error as? any UserFacingError }

    var summary: String {
        let words = error.inWords
        return words.hasPrefix("\(machine) ") ? words : "\(machine): \(words)"
    }
    var detail: String? { known?.detail }
    var remedy: String? { known?.remedy }
    var kind: ErrorKind { known?.kind ?? .failure }
    var cause: (any Error)? { known?.cause }
}
