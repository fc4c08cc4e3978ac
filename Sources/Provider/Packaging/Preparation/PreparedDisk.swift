import Digest
import DiskImage
import JSON
import LinuxSystem
import Reporting
import SystemPackage

/// A layer over a machine's disk that makes it fit for a box. The machine's own disk is never changed: the machine
/// keeps its keys and works as before.
///
/// The layer is kept until the disk or what is asked for changes, so that packaging the same halted machine again
/// costs no second preparation and gives the same bytes.
struct PreparedDisk {
    /// In the machine's folder.
    let folder: MachineFolder
    /// What the disk was, and what was asked for.
    let key: String
    var report: PreparationReport
    /// Whether the disk is the machine's own.
    var isAsItIs: Bool { key.isEmpty }
    /// The layer, and what is under it.
    var layers: [DiskLayer]

    static let folderName = "package"
    private static let recordName = "prepared.json"

    var kernel: FilePath { folder.path.appending("vmlinuz") }
    var initrd: FilePath { folder.path.appending("initrd.img") }

    static func key(_ layers: [DiskLayer], script: String, box: String) throws -> String {
        var fields = [script, box]
        for layer in layers {
            guard let status = try FileSystem.status(layer.path) else {
                throw SystemError("find", layer.path, .noSuchFileOrDirectory)
            }
            let time = "\(status.modified).\(status.modifiedNanoseconds)"
            fields.append("\(status.device) \(status.inode) \(status.size) \(time)")
        }
        return SHA256Digest(of: Array(fields.joined(separator: "\n").utf8)).hexadecimal
    }

    /// The machine's disk as it is, of which nothing is to be changed.
    static func asItIs(_ folder: MachineFolder, _ layers: [DiskLayer]) -> PreparedDisk {
        PreparedDisk(folder: folder, key: "", report: PreparationReport(), layers: layers)
    }

    /// The one that is there, if it was made for `key`.
    static func load(_ folder: MachineFolder, key: String, over layers: [DiskLayer]) -> PreparedDisk? {
        guard let bytes = try? FileSystem.read(folder.path.appending(recordName), limit: 4 << 20),
            let record = try? JSONParser.parse(bytes), record["schema"] == 1, record["key"]?.stringValue == key,
            let text = record["report"]?.stringValue
        else { return nil }
        return PreparedDisk(
            folder: folder, key: key, report: PreparationReport(guestText: text),
            layers: [DiskLayer(path: folder.disk, format: .qcow2, isPlacedByRecord: true)] + layers)
    }

    /// Written last: without it, there is no prepared disk.
    func save(reportText: String) throws {
        let record: JSONValue = ["schema": 1, "key": .string(key), "report": .string(reportText)]
        try AtomicFile.write(record.pretty, to: folder.path.appending(Self.recordName), permissions: 0o600)
    }
}
