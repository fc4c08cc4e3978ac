import ArgumentParser
import EnvFile
import Provider
import Reporting

struct Reload: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Restart machines with what the Wanderfile says now.",
        discussion: "Names each change that is applied, and each that takes a new machine.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @OptionGroup var machines: MachineOptions
    @OptionGroup var provisioning: ProvisioningOptions
    @Option(help: "What runs the machines: auto, kvm or emulation.") var provider = ProviderOption.auto
    @Flag(help: "Cut the power instead of asking the guest to shut down.") var force = false

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context) {
            $0.provider = provider.kind
            $0.lockWaitMilliseconds = machines.wait?.milliseconds ?? 0
        }
        let chosen = try project.machines(named: machines.machines, includingUndefined: false)
            .filter { try !machines.machines.isEmpty || $0.state().state != .notCreated }
        var upOptions = UpOptions()
        upOptions.provisioning = provisioning.choice
        let frozen = upOptions
        let mode: Machine.HaltMode = force ? .force : .graceful
        let results = try project.hooked(.reload) {
            let results = try Schedule.run(chosen, after: \.dependencies) {
                try $0.reload(frozen, mode)
            }
            try MachineResults.report(results, context)
            try project.runPlaybooks(provisioning.choice, started: MachineResults.started(results))
            return results
        }
        if !context.json {
            context.print(results.map { "\($0.machine.name) is running." }.joined(separator: "\n"))
        }
    }
}
