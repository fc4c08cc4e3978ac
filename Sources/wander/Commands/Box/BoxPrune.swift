import ArgumentParser
import BoxFormat
import JSON
import Reporting
import SystemPackage

struct BoxPrune: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove old versions of boxes.",
        discussion: """
            Keeps the newest version of each name and architecture, and every box that a machine uses. A machine whose \
            folder is not found counts too: it may have been moved, or lie on a drive that is not mounted.
            """)
    @OptionGroup var options: GlobalOptions
    @Flag(name: [.customShort("n"), .customLong("dry-run")], help: "Say what would be removed, and remove nothing.")
    var dryRun = false
    @Option(help: "Only boxes of this name.") var name: BoxName?
    @Flag(
        help:
            "Forget the machines whose folders are not found, of every box. They will not start again if they come back."
    )
    var forgetMissing = false
    @Flag(
        name: [.customShort("k"), .customLong("keep-active-boxes")],
        help: ArgumentHelp("As always.", visibility: .hidden))
    var keepActive = false
    @Flag(name: [.customShort("f"), .long], help: ArgumentHelp("As --yes.", visibility: .hidden)) var force = false

    func execute(_ context: CommandContext) throws {
        let store = try BoxStore.standard()
        let boxes = try store.list().boxes.filter { name == nil || $0.name == name }
        var uses = try store.uses()
        var missing = forgetMissing ? uses.filter { $0.place == .notFound } : []
        uses.removeAll(where: missing.contains)
        var old: [Box] = []
        var kept: [(box: Box, reason: String)] = []
        for box in boxes {
            let isNewest = !boxes.contains {
                $0.name == box.name && $0.architecture == box.architecture && $0.version > box.version
            }
            if isNewest {
                kept.append((box, "newest"))
            } else if let use = uses.first(where: { $0.box == box.identity }) {
                kept.append((box, use.place == .notFound ? "in use by \(use)" : "in use"))
            } else {
                old.append(box)
            }
        }
        if !dryRun, !old.isEmpty || !missing.isEmpty {
            let freed = old.reduce(0) { $0 &+ $1.sizeOnDisk }
            let names = old.map(\.identity.description).joined(separator: ", ")
            let removal = old.isEmpty ? nil : "remove \(names) (\(ByteCount(freed)))"
            let loss = missing.isEmpty ? nil : "forget \(missing.map(\.description).joined(separator: ", "))"
            let question = [loss, removal].compactMap(\.self).joined(separator: " and ")
            guard try force || context.confirm("\(question.prefix(1).uppercased() + question.dropFirst())?") else {
                throw ExitCode(1)
            }
            let forgotten = try store.forgetMissing(missing, cancellation: context.cancellation)
            // Found again since the question was asked.
            for use in missing where !forgotten.contains(use) {
                kept += old.filter { $0.identity == use.box }.map { ($0, "in use") }
                old.removeAll { $0.identity == use.box }
            }
            missing = forgotten
        }
        let uses0 = uses
        let documents = old.map { $0.document(uses: uses0) }
        if !dryRun { for box in old { try store.remove(box.identity, cancellation: context.cancellation) } }
        var lines = kept.map { "Kept \($0.box.identity): \($0.reason)." }
        lines += missing.map { dryRun ? "Would forget \($0)." : "Forgot \($0)." }
        lines += old.map { dryRun ? "Would remove \($0.identity)." : "Removed \($0.identity)." }
        context.output(
            lines.isEmpty ? "No boxes." : lines.joined(separator: "\n"),
            json: [
                "dryRun": .bool(dryRun), "dry_run": .bool(dryRun),
                "forgotten": .array(
                    missing.map { ["machine": .string($0.machine), "directory": .string($0.directory.string)] }),
                "removed": .array(documents),
                "kept": .array(kept.map { $0.box.document(uses: uses) }),
            ])
    }
}
