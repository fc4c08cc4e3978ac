import BoxFormat
import Digest
import DiskImage
import EnvFile
import LinuxSystem
import NetworkAddress
import SSH
import SystemPackage

extension Machine {
    /// Makes the machine's folder: record, overlay and key. May be repeated after it was interrupted anywhere.
    func create(from box: Box, provider: ProviderKind) throws -> MachineRecord {
        // Before anything is written: a record that is not there now may be a disk's that was worked on for months.
        _ = try self.record()
        var record = MachineRecord(
            identifier: randomIdentifier(), name: name, provider: provider, stage: .creating,
            created: wallClockSeconds(),
            box: MachineRecord.BoxIdentity(
                name: box.name.description, version: box.version.description,
                architecture: box.architecture.description, digest: box.digest.description,
                disk: box.diskDigest?.description),
            hardwareAddress: .random(), user: definition?.user ?? box.user ?? "vagrant")
        // What was done before the box was packaged need not be done again.
        record.provisioning =
            definition?.adopted(box.provisioning, in: project.environment.projectDirectory) ?? box.provisioning
        try project.store.save(&record)
        try project.boxes.recordUse(
            of: box, machine: name, directory: folder.path, cancellation: project.cancellation)
        try makeDisk(over: box)
        if try !FileSystem.exists(folder.privateKey) {
            let key = try SSHKeyPair.generate(comment: "wander \(name)")
            try AtomicFile.write(key.publicKey.line + "\n", to: folder.publicKey)
            try AtomicFile.write(key.privateKeyText, to: folder.privateKey, permissions: 0o600)
        }
        record.stage = .stopped
        try project.store.save(&record)
        return record
    }

    private func makeDisk(over box: Box) throws {
        try FileSystem.remove(folder.disk)
        try DiskImage.createOverlay(
            at: folder.disk, backing: box.disk.path, backingFormat: box.disk.format,
            virtualSize: max(box.disk.virtualSize, definition?.disk ?? 0))
    }
}
