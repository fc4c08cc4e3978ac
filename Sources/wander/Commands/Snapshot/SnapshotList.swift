import ArgumentParser
import JSON
import LinuxSystem
import Provider
import Reporting

struct SnapshotList: WanderCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the snapshots of machines.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @OptionGroup var machines: MachineOptions

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context)
        var table = TextTable(["MACHINE", "SNAPSHOT", "SAVED"])
        var documents: [JSONValue] = []
        for machine in try project.machines(named: machines.machines) {
            let snapshots = try machine.snapshots()
            for snapshot in snapshots {
                table.add([machine.name, snapshot.name, timestamp(snapshot.created)])
            }
            documents.append(
                [
                    "machine": .string(machine.name), "bytes": .size(machine.snapshotBytes()),
                    "snapshots": .array(
                        snapshots.map {
                            [
                                "name": .string($0.name), "created": .string(timestamp($0.created)),
                                "pushed": .bool($0.isPushed),
                            ]
                        }),
                ])
        }
        let isEmpty = documents.allSatisfy { $0["snapshots"]?.arrayValue?.isEmpty ?? true }
        context.output(
            isEmpty ? "No snapshots. Save one: wander snapshot save NAME" : table.rendered,
            json: ["machines": .array(documents)])
    }
}
