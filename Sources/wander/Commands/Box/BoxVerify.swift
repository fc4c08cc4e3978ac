import ArgumentParser
import BoxFormat
import JSON
import Reporting

struct BoxVerify: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Compare the files of stored boxes with what was added.",
        discussion: "Exits with 7 if a file is missing or was changed.")
    @OptionGroup var options: GlobalOptions
    @Argument(
        help: "Boxes, by name. Without one, all of them.",
        completion: Completions.boxes)
    var names: [BoxName] = []

    func execute(_ context: CommandContext) throws {
        let store = try BoxStore.standard()
        let all = try store.list()
        let boxes = all.boxes.filter { names.isEmpty || names.contains($0.name) }
        var failures: [any UserFacingError] = names.isEmpty ? all.problems : []
        for name in names {
            let damaged = try store.damagedBoxes(named: name)
            failures += damaged.map(\.problem)
            guard damaged.isEmpty, !boxes.contains(where: { $0.name == name }) else { continue }
            throw BoxError.notFound("'\(name)'", installed: all.boxes.map(\.identity.description))
        }
        var documents: [JSONValue] = []
        for box in boxes {
            var broken: [String] = []
            do {
                try store.verify(box, sink: context.console, cancellation: context.cancellation)
                context.print("\(box.identity) is as it was added.")
            } catch BoxError.damaged(let identity, let files) {
                broken = files
                failures.append(BoxError.damaged(identity, files: files))
            }
            documents.append([
                "box": .string(box.identity.description), "ok": .bool(broken.isEmpty), "files": .strings(broken),
            ])
        }
        context.output("", json: ["boxes": .array(documents)])
        guard let last = failures.last else { return }
        for failure in failures.dropLast() { context.console.report(failure, debug: options.debug) }
        throw last
    }
}
