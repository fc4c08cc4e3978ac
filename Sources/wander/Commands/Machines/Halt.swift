import ArgumentParser
import EnvFile
import Provider
import Reporting

struct Halt: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop machines.",
        discussion: """
            Asks the guest to shut down and waits; a guest that does not within its stop time-out has its power cut.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @OptionGroup var machines: MachineOptions
    @Flag(help: "Cut the power at once.") var force = false

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context) { $0.lockWaitMilliseconds = machines.wait?.milliseconds ?? 0 }
        let chosen = try project.machines(named: machines.machines)
        let mode: Machine.HaltMode = force ? .force : .graceful
        let results = try project.hooked(.halt) {
            let results = try Schedule.run(chosen, after: project.dependents(of:)) { try $0.halt(mode) }
            try MachineResults.report(results, context)
            return results
        }
        guard !context.json else { return }
        let lines = try results.compactMap { machine, result -> String? in
            guard case .success(let outcome) = result else { return nil }
            if outcome.actions == [.stopped] { return "\(machine.name) is stopped." }
            let exists = try machine.state().state != .notCreated
            return exists ? "\(machine.name) was not running." : "\(machine.name) does not exist yet."
        }
        context.print(lines.joined(separator: "\n"))
    }
}
