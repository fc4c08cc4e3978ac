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
        help: "The box: a name from 'wander box search' or 'wander box list', a .box file or a URL.",
        completion: Completions.names)
    var box = "debian/13"
    @Option(help: "A Vagrantfile to make it of, as 'wander import' does.", completion: .file()) var from: String?
    @Flag(name: [.customShort("m"), .long], help: "Only the lines that are needed.") var minimal = false
    @Flag(help: "Overwrite an existing file.") var force = false
    @Option(help: "The file to write; '-' prints it.", completion: .file()) var output = "Wanderfile"

    func execute(_ context: CommandContext) throws {
        if let from {
            return try ImportJob(file: from, output: output == "Wanderfile" ? nil : output, replaces: force).run(
                context)
        }
        let text =
            broughtWanderfile().map { InitTemplate.text(box: box, broughtBy: $0) }
            ?? InitTemplate.text(box: box, minimal: minimal)
        guard output != "-" else { return context.output(text, json: ["text": .string(text)]) }
        let path = FileSystem.currentDirectory.pushing(FilePath(output)).lexicallyNormalized()
        try NewWanderfile.write(text, to: path, replacing: force)
        let (advice, isReady) = try advice()
        let next = "'wander up' starts the machine, 'wander ssh' logs in."
        context.output(
            (["Wrote \(output)." + (advice.isEmpty ? " Next: \(next)" : "")] + advice
                + (advice.isEmpty ? [] : ["\(isReady ? "Next" : "Then"): \(next)"]))
                .joined(separator: "\n"),
            json: [
                "file": .string(path.string), "box": .string(box), "isBoxStored": .bool(advice.isEmpty),
                "advice": .strings(advice),
            ])
    }

    /// What to know or to do about a box that is in no store; nothing about one that is, and about files and URLs, which
    /// `up` gets by itself.
    /// - Returns: The lines, and whether `up` needs nothing before it.
    private func advice() throws -> (lines: [String], isReady: Bool) {
        guard let name = try? BoxName(box), let store = try? BoxStore.standard(), let list = try? store.list(),
            !list.boxes.contains(where: { $0.name == name }), FileSystem.isAbsent(FilePath(box))
        else { return ([], true) }
        let images = ImageCatalogues.current()
        if let found = try images.find(name) {
            let marks = [found.image.isExperimental ? "An experiment" : nil, found.image.note].compactMap(\.self)
            return (
                ["'\(name)' is \(found.image.title); 'wander up' gets it from \(found.location.shown)"]
                    + (marks.isEmpty ? [] : ["Note: " + marks.joined(separator: "; ")]),
                true
            )
        }
        let known = try images.images().map { (name: $0.image.name.description, words: $0.image.title) }
        let stored = Set(list.boxes.map(\.name)).sorted().map { (name: $0.description, words: "") }
        let near = NearNames.near(box, in: stored + known + [(name: "wander/tiny", words: "")])
        if name.description == "wander/tiny" {
            return (
                ["The box 'wander/tiny' is not in the store, and in no catalogue. Build it, from Debian's packages:"]
                    + BoxAdvice.lines(for: box).map { "  \($0)" }, false
            )
        }
        if let first = near.first {
            return (
                ["No catalogue of images has '\(name)'. Did you mean \(near.joined(separator: ", "))?"]
                    + ["  wander init --force \(first)"], false
            )
        }
        return (
            [
                "The box '\(name)' is not in the store, nor an image that 'wander box search' lists: 'wander up' asks the other "
                    + "catalogues. To add it from elsewhere:"
            ] + BoxAdvice.lines(for: name.description).map { "  \($0)" }, false
        )
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
