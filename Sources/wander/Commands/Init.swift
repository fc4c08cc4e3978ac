import ArgumentParser
import BoxFormat
import EnvFile
import JSON
import LinuxSystem
import SystemPackage

struct Init: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a first Wanderfile, with comments that explain it.",
        discussion: """
            Also writes .wander/schema.json, with which editors complete and check the file. Nothing is overwritten without \
            --force.

            A box that was packaged with a Wanderfile of its own (wander package --wanderfile) brings that one along: what it \
            sets is shown here, and not applied behind your back.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(
        help: "The box: a name from 'wander box list', a .box file or a URL.", completion: Completions.boxes)
    var box = "debian/12"
    @Flag(name: [.customShort("m"), .long], help: "Only the lines that are needed.") var minimal = false
    @Flag(help: "Overwrite an existing file.") var force = false
    @Option(help: "The file to write; '-' prints it.", completion: .file()) var output = "Wanderfile"

    func execute(_ context: CommandContext) throws {
        let text =
            broughtWanderfile().map { InitTemplate.text(box: box, broughtBy: $0) }
            ?? InitTemplate.text(box: box, minimal: minimal)
        guard output != "-" else { return context.output(text, json: ["text": .string(text)]) }
        let path = FileSystem.currentDirectory.pushing(FilePath(output)).lexicallyNormalized()
        try NewWanderfile.write(text, to: path, replacing: force)
        let missing = adviceIfMissing()
        let next =
            missing.isEmpty
            ? "Wrote \(output). Next: 'wander up' starts the machine, 'wander ssh' logs in."
            : (["Wrote \(output)."] + missing + ["Then: 'wander up' starts the machine, 'wander ssh' logs in."])
                .joined(separator: "\n")
        context.output(
            next,
            json: [
                "file": .string(path.string), "box": .string(box), "isBoxStored": .bool(missing.isEmpty),
                "advice": .strings(missing),
            ])
    }

    /// What to do about a box that is in no store; empty for one that is, and for files and URLs, which `up` gets by
    /// itself.
    private func adviceIfMissing() -> [String] {
        guard let name = try? BoxName(box), let store = try? BoxStore.standard(), let list = try? store.list(),
            !list.boxes.contains(where: { $0.name == name }), FileSystem.isAbsent(FilePath(box))
        else { return [] }
        let last = name.description.split(separator: "/").last
        let others = Set(list.boxes.map(\.name)).sorted().filter { $0.description.split(separator: "/").last == last }
        if let other = others.first {
            return [
                "The box '\(name)' is not in the store; '\(other)' is:", "  wander init --force \(other)",
            ]
        }
        let advice = BoxAdvice.lines(for: name.description).map { "  \($0)" }
        guard BoxAdvice.isOwn(name.description) else {
            return [
                "The box '\(name)' is not in the store: 'wander up' asks the catalogues for it. To add it from elsewhere:"
            ]
                + advice
        }
        return ["The box '\(name)' is not in the store, and in no catalogue. In the folder of wander's source:"]
            + advice
    }

    /// What the newest stored box of that name brings along.
    private func broughtWanderfile() -> String? {
        guard let name = try? BoxName(box), let store = try? BoxStore.standard(), let found = try? store.find(name),
            found.files.contains(where: { $0.path == BoxDescription.wanderfileName })
        else { return nil }
        let path = found.directory.pushing(FilePath(BoxDescription.wanderfileName))
        return (try? FileSystem.read(path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }
}
