import ArgumentParser
import EnvFile
import Provider

/// What happens to machines whose disks go back in time.
struct RestoringOptions: ParsableArguments {
    @OptionGroup var provisioning: ProvisioningOptions
    @Flag(name: .customLong("no-start"), help: "Leave the machines stopped.") var noStart = false
    @Option(help: "What runs the machines: auto, kvm or emulation.") var provider = ProviderOption.auto

    func restore(
        _ chosen: [Machine], _ context: CommandContext, _ body: @escaping @Sendable (Machine) throws -> MachineSnapshot
    ) throws {
        var upOptions = UpOptions()
        upOptions.provisioning = provisioning.choice
        let (frozen, starts) = (upOptions, !noStart)
        let results = try Schedule.run(chosen, after: \.dependencies) {
            var outcome = MachineOutcome(.restored, try body($0), of: $0)
            if starts {
                let up = try $0.up(frozen)
                outcome.actions += up.actions
                outcome.forwards = up.forwards
            }
            return outcome
        }
        try Snapshots.report(results, context) { "\($0) is \(starts ? "running" : "stopped"), as it was at '\($1)'." }
    }
}

struct SnapshotRestore: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Bring machines' disks back to a snapshot, and start them.",
        discussion: """
            What is on the disks now and in no snapshot is lost; a running machine is powered off. Provisioners \
            that had succeeded by then do not run again.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The snapshot's name.", completion: Completions.snapshots) var name: String
    @OptionGroup var machines: MachineOptions
    @OptionGroup var restoring: RestoringOptions

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context) {
            $0.provider = restoring.provider.kind
            $0.lockWaitMilliseconds = machines.wait?.milliseconds ?? 0
        }
        let name = name
        try restoring.restore(try Snapshots.machines(machines, with: name, in: project), context) {
            try $0.restoreSnapshot(name)
        }
    }
}

struct SnapshotPop: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "pop", abstract: "Return to what 'push' saved last, and forget it.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @OptionGroup var machines: MachineOptions
    @OptionGroup var restoring: RestoringOptions
    @Flag(name: .customLong("no-delete"), help: "Keep the snapshot.") var noDelete = false

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context) {
            $0.provider = restoring.provider.kind
            $0.lockWaitMilliseconds = machines.wait?.milliseconds ?? 0
        }
        var chosen = try Snapshots.machines(machines, in: project)
        if machines.machines.isEmpty {
            let having = try chosen.filter { try $0.snapshots().contains(where: \.isPushed) }
            if !having.isEmpty { chosen = having }
        }
        let keeps = noDelete
        try restoring.restore(chosen, context) { machine in
            let snapshot = try machine.restoreSnapshot(nil)
            if !keeps { _ = try machine.deleteSnapshot(snapshot.name) }
            return snapshot
        }
    }
}
