import ArgumentParser
import BoxFormat
import Digest
import JSON
import LinuxSystem
import Reporting

struct BoxList: WanderCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the boxes in the store.")
    @OptionGroup var options: GlobalOptions
    @Flag(name: [.customShort("i"), .customLong("box-info")], help: "Where each box came from, and its digest.")
    var info = false
    @Flag(help: "Only the names, one a line.") var names = false

    func execute(_ context: CommandContext) throws {
        let store = try BoxStore.standard()
        let (boxes, problems) = try store.list()
        for problem in problems { context.console.report(.warning(problem.summary)) }
        if names {
            let names = Set(boxes.map(\.name)).sorted().map(\.description)
            return context.output(names.joined(separator: "\n"), json: ["names": .strings(names)])
        }
        let uses = try store.uses()
        var table = TextTable(["NAME", "VERSION", "ARCHITECTURE", "SIZE", "MACHINES"])
        for box in boxes {
            let count = uses.filter { $0.box == box.identity }.count
            table.add([
                box.name.description, box.version.description, box.architecture.description,
                ByteCount(box.sizeOnDisk).description, count == 0 ? "-" : "\(count)",
            ])
            guard info else { continue }
            table.add(["  - source: \(box.source)"])
            table.add(["  - added: \(timestamp(box.added))"])
            table.add(["  - \(box.digest)"])
        }
        context.output(
            boxes.isEmpty
                ? "No boxes. 'wander box search' lists what there is, and this adds one: wander box add NAME"
                : table.rendered,
            json: [
                "boxes": .array(boxes.map { $0.document(uses: uses) }), "problems": .strings(problems.map(\.summary)),
            ])
    }
}
