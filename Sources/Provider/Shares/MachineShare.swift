import Digest
import EnvFile
public import JSON
import LinuxSystem
public import SystemPackage

/// A folder of the host as a machine was started with it.
public struct MachineShare: Sendable, Hashable {
    /// The name by which the guest knows the device.
    public var tag: String
    /// Absolute, on the host.
    public var folder: FilePath
    /// Absolute, in the machine.
    public var guest: String
    public var isReadOnly: Bool
    /// The folder's identity: the machine keeps that folder, whatever has its name later.
    public var device: UInt64 = 0
    public var inode: UInt64 = 0

    init(tag: String, folder: FilePath, guest: String, isReadOnly: Bool) {
        self.tag = tag
        self.folder = folder
        self.guest = guest
        self.isReadOnly = isReadOnly
    }

    /// Looks at the host's folder, and makes it where the definition says so.
    /// - Parameter writable: What lies in one of these may not lead elsewhere.
    /// - Throws: ``ShareError``
    init(_ definition: SharedFolder, in project: FilePath, writable: WritableFolders = WritableFolders([])) throws {
        tag = Self.tag(for: definition.guest)
        folder = definition.host.resolved(in: project)
        guest = definition.guest
        isReadOnly = definition.mode == .readOnly
        try writable.check(folder, as: definition.host.text)
        if definition.createsHost, FileSystem.isAbsent(folder) { try FileSystem.makeDirectory(folder) }
        let opened: OwnedDescriptor
        do {
            opened = try OwnedDescriptor.open(folder, [.readOnly, .directory])
        } catch {
            switch error.errno {
            case .noSuchFileOrDirectory:
                throw ShareError.folderMissing(host: definition.host.text, guest: definition.guest)
            case .notDirectory: throw ShareError.notAFolder(host: definition.host.text)
            default: throw ShareError.notReadable(host: definition.host.text, reason: error.summary)
            }
        }
        // A guest that could write there would decide what the host starts.
        guard try !FileSystem.resolve(folder).components.contains(".wander") else {
            throw ShareError.holdsState(host: definition.host.text)
        }
        let status = try opened.status()
        (device, inode) = (status.device, status.inode)
    }

    /// The same for the same place in the guest, whatever the host's folder is. Letters, digits and '-' alone.
    static func tag(for guest: String) -> String {
        "wander-" + SHA256Digest(of: Array(guest.utf8)).hexadecimal.prefix(12)
    }

    /// Whether the host's folder is the one that the machine has.
    var isStillThere: Bool {
        guard let status = (try? FileSystem.status(folder)) ?? nil else { return false }
        return status.device == device && status.inode == inode
    }

    /// As a Wanderfile writes it.
    public var text: String { "\(folder):\(guest)\(isReadOnly ? ":ro" : "")" }

    public var json: JSONValue {
        [
            "tag": .string(tag), "host": .string(folder.string), "guest": .string(guest),
            "mode": .string((isReadOnly ? SharedFolder.Mode.readOnly : .readWrite).rawValue),
            "device": .string(String(device)), "inode": .string(String(inode)),
        ]
    }

    /// For `status`.
    var publicJSON: JSONValue {
        .object((json.objectValue ?? []).filter { ["host", "guest", "mode"].contains($0.name) })
    }

    init(_ value: JSONValue, path: String) throws {
        let reader = try JSONObjectReader(value, path: path)
        tag = try reader.string("tag")
        folder = FilePath(try reader.string("host"))
        guest = try reader.string("guest")
        isReadOnly = try reader.string("mode") != SharedFolder.Mode.readWrite.rawValue
        device = UInt64(try reader.string("device")) ?? 0
        inode = UInt64(try reader.string("inode")) ?? 0
    }
}

extension [MachineShare] {
    /// Outer ones first: what is mounted over a folder hides what was mounted below it before.
    var byDepth: [MachineShare] {
        sorted { first, second in
            let (one, other) = (first.guest.utf8.count { $0 == 0x2f }, second.guest.utf8.count { $0 == 0x2f })
            return one == other ? first.guest < second.guest : one < other
        }
    }
}
