import ArgumentParser
import DiskImage
import JSON
import Reporting
import SystemPackage

struct DiskInfo: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show what a disk's images say about themselves.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var disks: DiskOptions
    @Argument(help: "A machine, one of its disks (web:vdb), or a raw or qcow2 file.", completion: .file())
    var disk: String

    func execute(_ context: CommandContext) throws {
        let infos = try disks.layers(disk, context).map { layer throws(DiskImageError) in try DiskImage.info(layer) }
        context.output(
            infos.map(Self.text).joined(separator: "\n\n"), json: ["images": .array(infos.map(Self.document))])
    }

    private static func text(_ info: ImageInfo) -> String {
        var table = TextTable()
        table.add(["file", "\(info.path)"])
        table.add(["format", info.qcow2.map { "qcow2, version \($0.version)" } ?? info.format.rawValue])
        table.add(["disk size", "\(ByteCount(info.virtualSize)) (\(info.virtualSize) bytes)"])
        table.add(["file size", "\(ByteCount(info.fileSize)), \(ByteCount(info.allocatedSize)) of it stored"])
        if let qcow2 = info.qcow2 {
            table.add(["clusters", "\(ByteCount(qcow2.clusterSize)), compressed ones by \(qcow2.compression)"])
            table.add(["refcounts", "\(qcow2.refcountBits) bits" + (qcow2.hasLazyRefcounts ? ", lazy" : "")])
            if let name = qcow2.backingName {
                table.add(["backing file", name + (qcow2.backingFormat.map { " (\($0))" } ?? "")])
            }
            if qcow2.snapshotCount > 0 { table.add(["snapshots", "\(qcow2.snapshotCount)"]) }
            if qcow2.isDirty { table.add(["state", "was not closed; refcounts are rebuilt when it is next opened"]) }
            if qcow2.isMarkedCorrupt { table.add(["state", "marked as corrupt"]) }
        }
        return table.rendered
    }

    private static func document(_ info: ImageInfo) -> JSONValue {
        var members = [
            JSONMember("path", .string(info.path.string)), JSONMember("format", .string(info.format.rawValue)),
            JSONMember("virtualSize", .size(info.virtualSize)), JSONMember("fileSize", .size(info.fileSize)),
            JSONMember("allocatedSize", .size(info.allocatedSize)),
        ]
        if let qcow2 = info.qcow2 {
            members += [
                JSONMember("version", .integer(Int64(qcow2.version))),
                JSONMember("clusterSize", .size(qcow2.clusterSize)),
                JSONMember("compression", .string(qcow2.compression)),
                JSONMember("refcountBits", .integer(Int64(qcow2.refcountBits))),
                JSONMember("lazyRefcounts", .bool(qcow2.hasLazyRefcounts)), JSONMember("dirty", .bool(qcow2.isDirty)),
                JSONMember("corrupt", .bool(qcow2.isMarkedCorrupt)),
                JSONMember("snapshots", .integer(Int64(qcow2.snapshotCount))),
                JSONMember("backingFile", .optional(qcow2.backingName)),
                JSONMember("backingFormat", .optional(qcow2.backingFormat)),
            ]
        }
        return .object(members)
    }
}
