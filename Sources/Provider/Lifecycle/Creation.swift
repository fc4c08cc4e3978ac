import BoxFormat
import Digest
import DiskImage
import EnvFile
import LinuxSystem
import NetworkAddress
import SSH
import SystemPackage

/// Makes a machine's folder: record, overlay and key. It can be repeated after an interruption anywhere.
struct Creation {
    let machine: Machine
    private var folder: MachineFolder { machine.folder }

    init(_ machine: Machine) { self.machine = machine }

    func make(from box: Box, provider: ProviderKind) throws -> MachineJournal {
        // Before anything is written: a record that is not there now may be a disk's that was worked on for months.
        _ = try machine.record()
        let project = machine.project
        let journal = machine.journal(record(box, provider))
        try journal.write { _ in }
        try project.boxes.recordUse(
            of: box, machine: machine.name, directory: folder.path, cancellation: project.cancellation)
        try makeDisk(over: box)
        if try !FileSystem.exists(folder.privateKey) {
            let key = try SSHKeyPair.generate(comment: "wander \(machine.name)")
            try AtomicFile.write(key.publicKey.line + "\n", to: folder.publicKey)
            try AtomicFile.write(key.privateKeyText, to: folder.privateKey, permissions: 0o600)
        }
        try journal.write { $0.stopped() }
        return journal
    }

    private func record(_ box: Box, _ provider: ProviderKind) -> MachineRecord {
        let definition = machine.definition
        let place = machine.project.environment.projectDirectory
        return MachineRecord(
            creating: machine.name, identifier: randomIdentifier(), provider: provider,
            box: MachineRecord.OriginBox(
                name: box.name.description, version: box.version.description,
                architecture: box.architecture.description, digest: box.digest.description,
                disk: box.diskDigest?.description),
            hardwareAddress: .random(), user: definition?.user ?? box.user ?? "vagrant",
            // What was done before the box was packaged need not be done again.
            provisioning: definition?.adopted(box.provisioning, in: place) ?? box.provisioning,
            at: wallClockSeconds())
    }

    private func makeDisk(over box: Box) throws {
        try FileSystem.remove(folder.disk)
        try DiskImage.createOverlay(
            at: folder.disk, backing: box.disk.path, backingFormat: box.disk.format,
            virtualSize: max(box.disk.virtualSize, machine.definition?.disk ?? 0))
    }
}
