import ArgumentParser
import DiskImage
import JSON

struct DiskMap: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: "Show which parts of a disk are stored, and where.",
        discussion: "LAYER counts from 0, the disk's own image, down to its last backing file.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var disks: DiskOptions
    @Argument(help: "A machine, one of its disks (web:vdb), or a raw or qcow2 file.") var disk: String
    @Flag(help: "Also show what reads as zeroes without being stored.") var zeroes = false

    func execute(_ context: CommandContext) throws {
        let storage = try disks.open(disk, .readOnly, context)
        var extents: [BlockExtent] = []
        try storage.forEachExtent { extent throws(DiskImageError) in
            if zeroes || extent.kind != .zero { extents.append(extent) }
        }
        context.output(Self.text(extents), json: ["extents": .array(extents.map(Self.document))])
    }

    private static func text(_ extents: [BlockExtent]) -> String {
        var table = TextTable(["OFFSET", "LENGTH", "KIND", "LAYER", "FILE OFFSET"])
        for extent in extents {
            table.add([
                "\(extent.offset)", "\(extent.count)", extent.kind.rawValue, extent.depth.map { "\($0)" } ?? "-",
                extent.fileOffset.map { "\($0)" } ?? "-",
            ])
        }
        return table.rendered
    }

    private static func document(_ extent: BlockExtent) -> JSONValue {
        [
            "offset": .size(extent.offset), "length": .size(extent.count), "kind": .string(extent.kind.rawValue),
            "layer": extent.depth.map { .integer(Int64($0)) } ?? .null,
            "fileOffset": extent.fileOffset.map(JSONValue.size) ?? .null,
        ]
    }
}
