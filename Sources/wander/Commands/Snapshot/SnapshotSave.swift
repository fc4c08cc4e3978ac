import ArgumentParser
import Provider

struct SnapshotSave: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Save what is on machines' disks under a name.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The snapshot's name.") var name: String
    @OptionGroup var machines: MachineOptions
    @Flag(help: "Replace a snapshot of this name.") var force = false

    func execute(_ context: CommandContext) throws {
        let project = try Snapshots.load(project, machines, context)
        let results = try Schedule.run(try Snapshots.machines(machines, in: project)) {
            MachineOutcome(.saved, try $0.saveSnapshot(name, replaces: force), of: $0)
        }
        try Snapshots.report(results, context) { "Saved '\($1)' of \($0)." }
    }
}

struct SnapshotPush: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Save what is on machines' disks, to return to it with 'pop'.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @OptionGroup var machines: MachineOptions

    func execute(_ context: CommandContext) throws {
        let project = try Snapshots.load(project, machines, context)
        let results = try Schedule.run(try Snapshots.machines(machines, in: project)) {
            MachineOutcome(.saved, try $0.saveSnapshot(nil, replaces: false), of: $0)
        }
        try Snapshots.report(results, context) { "Saved '\($1)' of \($0)." }
    }
}
