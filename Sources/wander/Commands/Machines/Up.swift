import ArgumentParser
import EnvFile
import Glibc
import JSON
import Provider
import Reporting

struct Up: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create, start and provision machines.",
        discussion: """
            A machine that does not exist is made from its box; one that is stopped is started; one that is suspended goes \
            on; one that runs is left alone. Machines that the named ones depend on come first. Provisioners run that have not succeeded yet or have changed since.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @OptionGroup var machines: MachineOptions
    @OptionGroup var provisioning: ProvisioningOptions
    @Option(help: "What runs the machines: auto, kvm or emulation.") var provider = ProviderOption.auto
    @Flag(name: .customLong("dry-run"), help: "Print what would be done, and do nothing.") var dryRun = false
    @Flag(
        inversion: .prefixedNo,
        help:
            "Whether to remove a machine that this command made and that gave no sign of life (its logs are kept)."
    )
    var destroyOnError = true
    @Flag(help: "Refuse to change Wanderfile.lock.") var locked = false
    @Flag(name: .customLong("no-deps"), help: "Do not start the machines that the named ones depend on.")
    var noDependencies = false

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context) {
            $0.provider = provider.kind
            $0.lockWaitMilliseconds = machines.wait?.milliseconds ?? 0
            $0.locked = locked
        }
        let named = try project.machines(named: machines.machines, includingUndefined: false)
            .filter { !machines.machines.isEmpty || $0.definition?.autostart != false }
        let (chosen, added) = noDependencies ? (named, []) : try project.withDependencies(named)
        for (machine, other) in added where try machine.state().state != .running {
            context.console.report(.step("\(machine.name) comes first, since \(other) depends on it"))
        }
        // A script that is not there is better found now than after the boot.
        let missing = project.environment.hostProblems(for: chosen.compactMap(\.definition), withBoxes: false)
        guard missing.isEmpty else { throw EnvFileError.invalid(missing, unreported: 0) }
        let others = Set(added.map(\.machine.name))
        if dryRun { return try plan(chosen, others, context) }
        var upOptions = UpOptions()
        upOptions.provisioning = provisioning.choice
        upOptions.destroyOnError = destroyOnError
        let frozen = upOptions
        // What was asked for by options is not meant for machines that nobody named.
        upOptions.provisioning = .asNeeded
        let standard = upOptions
        guard !chosen.isEmpty else {
            return context.output("No machine starts by itself: name one.", json: ["machines": []])
        }
        let results = try project.hooked(.up) {
            let results = try Schedule.run(chosen, after: \.dependencies) {
                try $0.up(others.contains($0.name) ? standard : frozen)
            }
            try MachineResults.report(results, context)
            try project.runPlaybooks(provisioning.choice, started: MachineResults.started(results))
            return results
        }
        if !context.json, !options.quiet { report(results, context) }
    }

    private func report(_ results: Schedule.Results<MachineOutcome>, _ context: CommandContext) {
        var lines: [String] = []
        for case (let machine, .success(let outcome)) in results {
            lines.append("\(machine.name) is running.")
            for forward in outcome.forwards where outcome.actions != [.unchanged] {
                lines.append(
                    "\(machine.name): \(forward.bind):\(forward.hostPort) leads to port \(forward.guestPort)/\(forward.transport)."
                )
            }
        }
        for case (_, .success(let outcome)) in results {
            if let message = outcome.message, outcome.actions != [.unchanged] { lines.append(message) }
        }
        context.print(lines.joined(separator: "\n"))
    }

    /// - Parameter others: The names of machines that are there for others only.
    private func plan(_ machines: [Machine], _ others: Set<String>, _ context: CommandContext) throws {
        var lines: [String] = []
        var documents: [JSONValue] = []
        for machine in machines {
            let plan = try machine.plan(others.contains(machine.name) ? .asNeeded : provisioning.choice)
            lines.append("\(machine.name): \(plan.isEmpty ? "nothing to do" : plan.joined(separator: "; "))")
            documents.append(["machine": .string(machine.name), "steps": .strings(plan)])
        }
        context.output(lines.joined(separator: "\n"), json: ["machines": .array(documents)])
    }
}
