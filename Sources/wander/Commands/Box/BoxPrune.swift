import ArgumentParser
import BoxFormat
import JSON
import Reporting

struct BoxPrune: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove old versions of boxes.",
        discussion: "Keeps the newest version of each name and architecture, and every box that a machine lies on.")
    @OptionGroup var options: GlobalOptions
    @Flag(name: [.customShort("n"), .customLong("dry-run")], help: "Say what would be removed, and remove nothing.")
    var dryRun = false
    @Option(help: "Only boxes of this name.") var name: BoxName?
    @Flag(
        name: [.customShort("k"), .customLong("keep-active-boxes")],
        help: ArgumentHelp("As always.", visibility: .hidden))
    var keepActive = false
    @Flag(name: [.customShort("f"), .long], help: ArgumentHelp("As --yes.", visibility: .hidden)) var force = false

    func execute(_ context: CommandContext) throws {
        let store = try BoxStore.standard()
        let boxes = try store.list().boxes.filter { name == nil || $0.name == name }
        let uses = try store.uses()
        var old: [Box] = []
        var kept: [(box: Box, reason: String)] = []
        for box in boxes {
            let isNewest = !boxes.contains {
                $0.name == box.name && $0.architecture == box.architecture && $0.version > box.version
            }
            if isNewest {
                kept.append((box, "newest"))
            } else if uses.contains(where: { $0.box == box.identity }) {
                kept.append((box, "in use"))
            } else {
                old.append(box)
            }
        }
        if !dryRun, !old.isEmpty {
            let freed = old.reduce(0) { $0 &+ $1.sizeOnDisk }
            let names = old.map(\.identity.description).joined(separator: ", ")
            guard try force || context.confirm("Remove \(names) (\(ByteCount(freed)))?") else { throw ExitCode(1) }
        }
        let uses0 = uses
        let documents = old.map { $0.document(uses: uses0) }
        if !dryRun { for box in old { try store.remove(box.identity, cancellation: context.cancellation) } }
        var lines = kept.map { "Kept \($0.box.identity): \($0.reason)." }
        lines += old.map { dryRun ? "Would remove \($0.identity)." : "Removed \($0.identity)." }
        context.output(
            lines.isEmpty ? "No boxes." : lines.joined(separator: "\n"),
            json: [
                "dry_run": .bool(dryRun), "removed": .array(documents),
                "kept": .array(kept.map { $0.box.document(uses: uses) }),
            ])
    }
}
