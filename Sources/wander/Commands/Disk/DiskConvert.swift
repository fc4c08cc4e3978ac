import ArgumentParser
import DiskImage
import JSON
import Reporting
import SystemPackage

struct DiskConvert: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Write a disk's whole content into one new image.",
        discussion: """
            The new image needs no other file, and what reads as zeroes takes no space in it. The same content gives the \
            same bytes.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var disks: DiskOptions
    @Argument(help: "A machine, one of its disks (web:vdb), or a raw or qcow2 file.") var disk: String
    @Argument(help: "The new file.", completion: .file()) var output: String
    @Option(help: "The new image's format: raw or qcow2; without it, what the new file's name says, else qcow2.")
    var to: DiskFormat?
    @Option(help: "How clusters of a new qcow2 image are stored: none, deflate or zstd.") var compress =
        ImageCompression.none

    func validate() throws {
        if format == .raw, compress != .none { throw ValidationError("A raw image cannot be compressed.") }
    }

    /// The name is the user's own choice for a file that does not exist yet: nothing is guessed from content.
    private var format: DiskFormat { to ?? (["raw", "img"].contains(FilePath(output).extension) ? .raw : .qcow2) }

    func execute(_ context: CommandContext) throws {
        let storage = try disks.open(disk, .readOnly, context)
        let path = FilePath(output)
        let label = "writing \(path.lastComponent?.string ?? output)"
        switch format {
        case .qcow2:
            try DiskImage.flatten(storage, to: path, compression: compress, progress: context.diskProgress(label))
        case .raw: try DiskImage.flattenRaw(storage, to: path, progress: context.diskProgress(label))
        }
        context.console.report(.finished(label: label), about: nil)
        let info = try DiskImage.info(DiskLayer(path: path, format: format))
        context.output(
            "\(path): \(format.rawValue), \(ByteCount(info.virtualSize)), \(ByteCount(info.allocatedSize)) stored",
            json: [
                "path": .string(path.string), "format": .string(format.rawValue),
                "virtualSize": .size(info.virtualSize),
                "fileSize": .size(info.fileSize), "allocatedSize": .size(info.allocatedSize),
            ])
    }
}
