import ArgumentParser
import BoxFormat
import JSON
import Reporting

struct BoxRemove: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a box from the store.",
        discussion: "Refuses a box that a machine uses. Without --all, exactly one box may fit.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var box: BoxSelection
    @Flag(help: "Every version and architecture that fits.") var all = false
    @Flag(name: [.customShort("f"), .long], help: "Even if a machine uses it; that machine will not start again.")
    var force = false

    func execute(_ context: CommandContext) throws {
        let store = try BoxStore.standard()
        let boxes = all ? try box.identities(in: store) : [try box.identity(in: store)]
        let uses = try store.uses()
        // All or nothing: the ones in use are known before the first is removed.
        for box in boxes where !force {
            let machines = uses.filter { $0.box == box }
            guard machines.isEmpty else { throw BoxError.inUse(box, machines: machines.map(\.description)) }
        }
        let documents = boxes.map { box in ((try? store.box(box)) ?? nil)?.document(uses: []) ?? box.document }
        for box in boxes { try store.remove(box, force: force, cancellation: context.cancellation) }
        context.output(
            boxes.map { "Removed \($0)." }.joined(separator: "\n"), json: ["removed": .array(documents)])
    }
}
