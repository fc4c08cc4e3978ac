import ArgumentParser
import BoxFormat
import Digest
import JSON
import LinuxSystem
import Reporting
import SystemPackage

struct BoxRepackage: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "repackage", abstract: "Pack a stored box into an archive again.",
        discussion: "The same box gives the same bytes every time.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var box: BoxSelection
    @Option(name: [.customShort("o"), .long], help: "The archive to write.", completion: .file()) var output =
        "package.box"
    @Option(help: "zstd, or gzip for those whose tools are old.") var compression = BoxCompression.zstd
    @Flag(name: [.customShort("f"), .long], help: "Replace the archive if it is there.") var force = false

    func execute(_ context: CommandContext) throws {
        let stored = try box.one(in: try BoxStore.standard())
        var contents = Dictionary(
            stored.files.map { ($0.path, BoxWriter.Content.file(stored.directory.appending($0.path))) },
            uniquingKeysWith: { first, _ in first })
        // What was added as an image has no description of its own.
        if contents[BoxDescription.fileName] == nil {
            contents[BoxDescription.fileName] = .bytes(Array(BoxDescription(of: stored).json.pretty.utf8))
        }
        let path = FileSystem.currentDirectory.pushing(FilePath(output))
        let writer = BoxWriter(
            contents, compression: compression, sink: context.console, cancellation: context.cancellation)
        let (digest, size) = try writer.write(to: path, replace: force)
        context.output(
            "Wrote \(path), \(ByteCount(size)), \(digest).",
            json: [
                "file": .string(path.string), "size": .size(size), "sha256": .string(digest.hexadecimal),
                "box": .string(stored.identity.description),
            ])
    }
}
