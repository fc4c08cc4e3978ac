internal import Digest
import DiskImage
internal import JSON
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

/// The file `record.json` beside a stored box's files: everything that listing and booting need, in one small read.
enum BoxRecord {
    static let fileName = "record.json"
    /// Where the archive's files are, beside the record.
    static let filesFolder = "files"
    private static let sizeLimit = 8 << 20

    static func encode(_ box: Box) -> String {
        func relative(_ path: FilePath?) -> JSONValue {
            guard var path = path else { return .null }
            guard path.removePrefix(box.directory) else { return .null }
            return .string(path.string)
        }
        let value: JSONValue = [
            "schema": 1,
            "name": .string(box.name.description),
            "version": .string(box.version.description),
            "architecture": .string(box.architecture.description),
            "sha256": .string(box.digest.hexadecimal),
            "checksums": .strings(box.checksums.map(\.description)),
            "archive_size": .size(box.archiveSize),
            "source": .string(box.source),
            "catalogue": .optional(box.catalogue),
            "of_project": .bool(box.isOfProject),
            "added": .string(timestamp(box.added)),
            "added_seconds": .integer(box.added),
            "disks": .array(
                box.disks.map { disk in
                    [
                        "path": relative(disk.path), "format": .string(disk.format.rawValue),
                        "virtual_size": .size(disk.virtualSize),
                    ]
                }),
            "kernel": relative(box.kernel),
            "initrd": relative(box.initrd),
            "command_line": .optional(box.commandLine),
            "user": .optional(box.user),
            "cloud_init": .bool(box.cloudInit),
            "firmware": .optional(box.firmware?.rawValue),
            "smallest_memory": box.smallestMemory.map { .size($0) } ?? .null,
            "provisioning": box.provisioning,
            "files": .array(
                box.files.map { file in
                    [
                        "path": .string(file.path), "size": .size(file.size),
                        "sha256": .string(file.digest.hexadecimal),
                    ]
                }),
        ]
        return value.pretty
    }

    /// Reads the record in `folder`.
    /// - Throws: ``BoxError/corruptRecord(_:reason:)``
    static func read(in folder: FilePath) throws(BoxError) -> Box {
        let path = folder.appending(fileName)
        do {
            let reader = try JSONObjectReader(
                JSONParser.parse(FileSystem.read(path, limit: sizeLimit), limit: sizeLimit), path: fileName)
            return try decode(reader, directory: folder.appending(filesFolder))
        } catch let error as SystemError where error.errno != .noSuchFileOrDirectory && error.errno != .fileTooLarge {
            throw .unreadableRecord(path, reason: "\(error.errno)")
        } catch let error as any UserFacingError {
            throw .corruptRecord(path, reason: error.summary)
        } catch { throw .corruptRecord(path, reason: "\(error)") }
    }

    private static func decode(_ reader: JSONObjectReader, directory: FilePath) throws -> Box {
        guard try reader.integer("schema") == 1 else { throw JSONError.wrongType("schema", expected: "1") }
        let versionText = try reader.string("version")
        guard let version = BoxVersion(versionText) else { throw BoxError.invalidVersion(versionText) }
        let identity = BoxIdentity(
            name: try BoxName(reader.string("name")), version: version,
            architecture: try Architecture(reader.string("architecture")))
        func file(_ text: String) throws -> FilePath { directory.appending(try EntryName(Array(text.utf8)).path) }
        let disks = try reader.array("disks").map { value in
            let disk = try JSONObjectReader(value, path: "disks")
            guard let format = DiskFormat(rawValue: try disk.string("format")) else {
                throw JSONError.wrongType("format", expected: "qcow2 or raw")
            }
            return Box.Disk(
                path: try file(disk.string("path")), format: format,
                virtualSize: UInt64(clamping: try disk.integer("virtual_size")))
        }
        guard !disks.isEmpty else { throw JSONError.missing("disks") }
        let files = try reader.array("files").map { value in
            let file = try JSONObjectReader(value, path: "files")
            return Box.File(
                path: try EntryName(Array(file.string("path").utf8)).path,
                size: UInt64(clamping: try file.integer("size")),
                digest: try digest(file))
        }
        let keyName = "vagrant_private_key"
        return Box(
            identity: identity, directory: directory, disks: disks,
            kernel: try reader.optionalString("kernel").map { text in try file(text) },
            initrd: try reader.optionalString("initrd").map { text in try file(text) },
            commandLine: try reader.optionalString("command_line"), user: try reader.optionalString("user"),
            cloudInit: try reader.bool("cloud_init", default: false),
            firmware: try reader.optionalString("firmware").flatMap { BoxFirmware(rawValue: $0) },
            smallestMemory: try reader.optionalInteger("smallest_memory").map { UInt64(clamping: $0) },
            privateKey: files.contains { $0.path == keyName } ? directory.appending(keyName) : nil,
            provisioning: .array(try reader.array("provisioning")),
            digest: try digest(reader),
            checksums: try reader.array("checksums").compactMap { try ExpectedChecksum.read($0.stringValue ?? "") },
            archiveSize: UInt64(clamping: try reader.integer("archive_size")),
            source: try reader.string("source"), catalogue: try reader.optionalString("catalogue"),
            isOfProject: try reader.bool("of_project", default: false),
            added: try reader.integer("added_seconds"), files: files)
    }

    private static func digest(_ reader: JSONObjectReader) throws -> SHA256Digest {
        guard let digest = SHA256Digest(try reader.string("sha256")) else {
            throw JSONError.wrongType("sha256", expected: "64 hexadecimal digits")
        }
        return digest
    }
}
