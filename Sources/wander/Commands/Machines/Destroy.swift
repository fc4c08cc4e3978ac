import ArgumentParser
import EnvFile
import LinuxSystem
import Provider
import Reporting

struct Destroy: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop machines and remove them with their disks.",
        discussion: """
            Asks for each machine. The box stays in the store. Exits with 0 if nothing was declined, 1 if everything was, \
            2 if some were.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @OptionGroup var machines: MachineOptions
    @Flag(name: [.customLong("force")], help: ArgumentHelp("As --yes.", visibility: .hidden)) var force = false

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context) { $0.lockWaitMilliseconds = machines.wait?.milliseconds ?? 0 }
        let chosen = try project.machines(named: machines.machines)
        var accepted: [Machine] = []
        var kept: [String] = []
        for machine in chosen {
            guard try FileSystem.exists(machine.folder.path) else {
                // What there is to be done needs no answer.
                if try machine.hasUnfinishedHooks { _ = try machine.destroy() }
                continue
            }
            if try force || context.confirm("Destroy the machine '\(machine.name)' and its disk?") {
                accepted.append(machine)
            } else {
                kept.append(machine.name)
            }
        }
        let destroy = {
            let results = try Schedule.run(accepted, after: project.dependents(of:)) { try $0.destroy() }
            try MachineResults.report(results, context)
            return results
        }
        let results = try accepted.isEmpty ? [] : project.hooked(.destroy, destroy)
        if !context.json {
            let lines = results.map { "\($0.machine.name) is destroyed." } + kept.map { "\($0) is kept." }
            context.print(lines.isEmpty ? "There is nothing to destroy." : lines.joined(separator: "\n"))
        }
        if !kept.isEmpty { throw ExitCode(accepted.isEmpty ? 1 : 2) }
    }
}
