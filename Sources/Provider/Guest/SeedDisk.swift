import BoxFormat
import CloudInit
import DiskImage
import EnvFile
import LinuxSystem
import Reporting
import SSH
import SystemPackage

/// The small disk that a machine with cloud-init has beside its own: what is on it, and when it is written.
struct SeedDisk {
    static let fileName = "seed.img"

    let machine: Machine
    private var folder: MachineFolder { machine.folder }

    init(_ machine: Machine) { self.machine = machine }

    /// What a new machine has such a disk for; nil if it needs none.
    static func purpose(_ box: Box, _ definition: MachineDefinition?) -> MachineRecord.SeedPurpose? {
        box.cloudInit ? .login : definition?.cloudInit == nil ? nil : .userData
    }

    var disk: LaunchPlan.Disk {
        LaunchPlan.Disk(path: FilePath(Self.fileName), format: .raw, isReadOnly: true)
    }

    /// Writes the disk, if it is not there as it is to be.
    func write(_ record: MachineRecord, hostname: String) throws {
        let seed = CloudInitSeed(
            // The machine's own identifier: another machine of the same disk, or of a box that was made of it, is new.
            instance: "wander-\(record.identifier)", hostname: hostname, user: record.user,
            keys: [try GuestAccess(machine).key().publicKey], hardwareAddress: record.hardwareAddress,
            userData: try kept())
        let image = seed.image
        if let present = try FileSystem.readIfThere(folder.seed, limit: image.count + 1), present == image { return }
        try AtomicFile.write(image, to: folder.seed, permissions: 0o600)
    }

    // MARK: - User-data

    /// Keeps what the Wanderfile says while the machine is made: cloud-init does it once, so that later changes are for
    /// later machines.
    func keep(_ userData: [UInt8]?) throws {
        guard let userData else { return try FileSystem.remove(folder.userData) }
        try AtomicFile.write(userData, to: folder.userData, permissions: 0o600)
    }

    private func kept() throws -> [UInt8]? {
        try FileSystem.readIfThere(folder.userData, limit: UserDataText.limit)
    }

    /// What the Wanderfile says now.
    /// - Throws: ``SeedError``, or ``ShareError/leadsOut(host:share:)`` for a file that a guest may have put there.
    func given(_ definition: MachineDefinition) throws -> [UInt8]? {
        switch definition.cloudInit {
        case nil: return nil
        case .text(let text): return Array(text.utf8)
        case .source(let path):
            let writable = machine.writableFolders(definition)
            let project = machine.project.environment.projectDirectory
            let bytes: [UInt8]
            do { bytes = try writable.read(path, in: project, limit: UserDataText.limit) } catch let error
                as SystemError
            {
                throw SeedError.unreadable(path.text, error)
            }
            guard UserDataText.isKnown(bytes) else { throw SeedError.unknownForm(path.text) }
            return bytes
        }
    }

    /// Says that a file has changed since the machine was made. What the Wanderfile itself has is compared as every key
    /// is.
    func reportChange(_ definition: MachineDefinition) throws {
        guard case .source(let path) = definition.cloudInit, let now = try? given(definition), try kept() != now else {
            return
        }
        let commands = "wander destroy \(machine.name) && wander up \(machine.name)"
        machine.report(.warning("cloud_init: \(path.text) has changed, which takes a new machine: \(commands)"))
    }
}

/// Why there is no user-data to hand over.
enum SeedError: UserFacingError, Equatable {
    case unreadable(String, SystemError)
    case unknownForm(String)

    var summary: String {
        switch self {
        case .unreadable(let path, let error): "cloud_init: \(path) cannot be read: \(error.errno)"
        case .unknownForm(let path): "cloud_init: cloud-init does not know what \(path) is"
        }
    }
    var remedy: String? {
        switch self {
        case .unreadable: nil
        case .unknownForm: "It must \(UserDataText.expected)."
        }
    }
    var kind: ErrorKind { .invalidConfiguration }
    var cause: (any Error)? { if case .unreadable(_, let error) = self { error } else { nil } }
}
