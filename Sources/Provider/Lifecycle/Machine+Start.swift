import BoxFormat
import Digest
import DiskImage
import EnvFile
import LinuxSystem
import SSH
import SystemPackage

extension Machine {
    /// Boots a machine that does not run. Writes down what is about to happen before each step.
    func start(_ record: inout MachineRecord, _ definition: MachineDefinition, provider: any MachineProvider) throws {
        // First of all: whoever holds it is alone with the disk, whatever processes there are.
        let lock = try OwnedDescriptor.open(folder.livenessLock, [.readWrite, .create], permissions: 0o600)
        guard try OpenFileLock.tryLock(lock, .exclusive) else {
            throw ProviderError.notRunning(machine: name, state: "still ending")
        }
        try record.process?.endWithoutLock()
        // What an interrupted command has left to do. A guest never gets the layer of a snapshot.
        try completeDisk(&record)
        var plan = try bootPlan(record, definition)
        plan.shares = try openShares(definition)
        // A prepared copy for a box is of no use once the disk changes.
        try discardPreparation()
        // Again at every start, since the project may have moved.
        try project.boxes.recordUse(
            of: try box(of: record), machine: name, directory: folder.path, cancellation: project.cancellation)
        record.stage = .starting
        record.provider = provider.kind
        record.definition = definition.canonicalJSON
        record.process = nil
        record.isReady = false
        record.forwards = []
        record.shares = plan.shares
        record.hasMountedShares = false
        try project.store.save(&record)
        do {
            try folder.prepareRun()
            try growDisk(record, definition)
            try joinNetwork(&record, definition)
            try project.store.save(&record)
            record.process = try provider.start(plan, lock: lock, cancellation: project.cancellation)
        } catch {
            leaveNetwork()
            record.stage = .stopped
            record.forwards = []
            try project.store.save(&record)
            throw error
        }
        record.stage = .running
        try project.store.save(&record)
    }

    private func bootPlan(_ record: MachineRecord, _ definition: MachineDefinition) throws -> BootPlan {
        let box = try box(of: record)
        return BootPlan(
            name: name, folder: folder, memory: definition.memory, processors: definition.cpus,
            disk: BootPlan.Disk(path: "disk.qcow2", format: .qcow2),
            backing: try layersBelow(record).map {
                BootPlan.Disk(path: $0.path, format: $0.format)
            },
            kernel: box.kernel, initrd: box.initrd,
            commandLine: try DirectBoot(of: box)?.commandLine(handingOver: machineKey().publicKey),
            hardwareAddress: record.hardwareAddress,
            emulatedProcessor: definition.provider.emulation.processor,
            translationCache: definition.provider.emulation.translationCache)
    }

    /// The box that the machine was made from; its overlay is of use with no other.
    /// - Throws: ``ProviderError/boxChanged(machine:box:wanted:actual:)`` if another one has its name.
    func box(of record: MachineRecord) throws -> Box {
        func missing(_ box: String) -> ProviderError {
            let entries = (try? LockFile.read(project.lockFile))?.entries ?? []
            let source = entries.first { $0.digest.description == record.box.digest }?.source
            return .boxMissing(box, machine: name, source: source)
        }
        guard let version = BoxVersion(record.box.version) else { throw missing(record.box.name) }
        let identity = BoxIdentity(
            name: try BoxName(record.box.name), version: version,
            architecture: try Architecture(record.box.architecture))
        guard let box = try project.boxes.box(identity) else { throw missing(identity.description) }
        // The same disk may come in another archive.
        let isSameDisk = record.box.disk != nil && record.box.disk == box.diskDigest?.description
        if let digest = record.box.digest, digest != box.digest.description, !isSameDisk {
            throw ProviderError.boxChanged(
                machine: name, box: identity.description, wanted: digest, actual: box.digest.description)
        }
        return box
    }

    /// A larger `disk` in the Wanderfile grows the overlay; the guest grows its file system when it boots.
    private func growDisk(_ record: MachineRecord, _ definition: MachineDefinition) throws {
        guard let wanted = definition.disk else { return }
        let storage = try DiskImage.open(try ownDisk(record), access: .readWrite)
        defer { try? storage.close() }
        if wanted > storage.virtualSize { try storage.resize(to: wanted) }
    }
}
