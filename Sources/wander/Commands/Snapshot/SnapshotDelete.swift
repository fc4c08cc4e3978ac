import ArgumentParser
import Provider

struct SnapshotDelete: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Forget a snapshot.",
        discussion:
            "Removes the layers that neither the machine nor another snapshot uses, and joins those that no longer need to be apart."
    )
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The snapshot's name.", completion: Completions.snapshots) var name: String
    @OptionGroup var machines: MachineOptions

    func execute(_ context: CommandContext) throws {
        let project = try Snapshots.load(project, machines, context)
        let results = try Schedule.run(try Snapshots.machines(machines, with: name, in: project)) {
            MachineOutcome(.deleted, try $0.deleteSnapshot(name), of: $0)
        }
        try Snapshots.report(results, context) { "Deleted '\($1)' of \($0)." }
    }
}
