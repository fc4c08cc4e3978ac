import EnvFile
import ArgumentParser
import Provider
import Reporting

struct Provision: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the provisioners of machines that run, also those that have succeeded.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @OptionGroup var machines: MachineOptions
    @Option(name: .customLong("provision-with"), help: "Run only these: names or types, with commas between them.")
    var provisionWith: String?

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context) { $0.lockWait = Int64(machines.wait ?? 0) * 1000 }
        let choice: ProvisioningChoice =
            provisionWith.map { .only($0.split(separator: ",").map(String.init)) } ?? .all
        let results = try Schedule.run(
            try project.machines(named: machines.machines, includingUndefined: false),
            after: { Set($0.definition?.dependsOn.map(\.machine) ?? []) }
        ) { try $0.provision(choice) }
        try MachineResults.report(results, context)
        if !context.json {
            let lines = results.map { machine, result -> String in
                if case .success(let outcome) = result, outcome.actions == [.provisioned] {
                    return "\(machine.name) is provisioned."
                }
                return "\(machine.name) has nothing to run."
            }
            context.print(lines.joined(separator: "\n"))
        }
    }
}
