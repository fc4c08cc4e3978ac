import ArgumentParser
import EnvFile
import Provider
import Reporting

struct Provision: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the provisioners of machines that run.",
        discussion: """
            Those that have not succeeded yet or have changed since, and those that run always: after a failure it goes on with \
            the step that failed. --all and --provision-with run again what has succeeded.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @OptionGroup var machines: MachineOptions
    @Flag(help: "Run every provisioner, including those that have succeeded.") var all = false
    @Option(
        name: .customLong("provision-with"), help: "Run only these steps: their names, with commas between them.",
        completion: Completions.provisioners)
    var provisionWith: String?

    func validate() throws {
        guard !all || provisionWith == nil else {
            throw ValidationError("--all and --provision-with exclude each other.")
        }
    }

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context) { $0.lockWaitMilliseconds = machines.wait?.milliseconds ?? 0 }
        let choice: ProvisioningChoice =
            provisionWith.map { .only($0.split(separator: ",").map(String.init)) } ?? (all ? .all : .asNeeded)
        let chosen = try project.machines(named: machines.machines, includingUndefined: false)
        let results = try project.hooked(.provision) {
            let results = try Schedule.run(chosen, after: \.dependencies) { try $0.provision(choice) }
            try MachineResults.report(results, context)
            try project.runPlaybooks(choice, started: Set(results.map(\.machine.name)))
            return results
        }
        if !context.json {
            let lines = results.map { machine, result -> String in
                if case .success(let outcome) = result, outcome.actions == [.provisioned] {
                    return "\(machine.name) is provisioned."
                }
                return "\(machine.name) has nothing to run; --all runs again what has succeeded."
            }
            context.print(lines.joined(separator: "\n"))
        }
    }
}
