import ArgumentParser
import Provider

struct SnapshotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Save what is on machines' disks, and return to it.",
        discussion: """
            A snapshot holds a machine's disk, not its memory: a running machine's guest writes everything down first. It \
            costs what changes from then on, and for a running machine what its own layer takes now.
            """,
        subcommands: [
            SnapshotSave.self, SnapshotRestore.self, SnapshotList.self, SnapshotDelete.self, SnapshotPush.self,
            SnapshotPop.self,
        ])
}

/// What the commands of `wander snapshot` share.
enum Snapshots {
    /// The machines that were named, or all that there are.
    static func machines(_ options: MachineOptions, in project: Project) throws -> [Machine] {
        let chosen = try project.machines(named: options.machines)
        guard options.machines.isEmpty else { return chosen }
        let present = try chosen.filter { try $0.state().state != .notCreated }
        // The others' own words say that they do not exist.
        return present.isEmpty ? chosen : present
    }

    /// The machines that were named, or all that have the snapshot.
    static func machines(_ options: MachineOptions, with name: String, in project: Project) throws -> [Machine] {
        let chosen = try machines(options, in: project)
        guard options.machines.isEmpty else { return chosen }
        let having = try chosen.filter { try $0.snapshots().contains { $0.name == name } }
        return having.isEmpty ? chosen : having
    }

    static func load(_ options: ProjectOptions, _ machines: MachineOptions, _ context: CommandContext) throws -> Project
    {
        try options.load(context) { $0.lockWaitMilliseconds = machines.wait?.milliseconds ?? 0 }
    }

    static func report(
        _ results: Schedule.Results<MachineOutcome>, _ context: CommandContext,
        _ sentence: (_ machine: String, _ snapshot: String) -> String
    ) throws {
        try MachineResults.report(results, context)
        guard !context.json else { return }
        var lines: [String] = []
        for case (let machine, .success(let outcome)) in results {
            lines.append(sentence(machine.name, outcome.snapshot ?? ""))
        }
        context.print(lines.joined(separator: "\n"))
    }
}

extension MachineOutcome {
    init(_ action: Action, _ snapshot: MachineSnapshot, of machine: Machine) {
        self.init(machine: machine.name, actions: [action])
        self.snapshot = snapshot.name
    }
}
