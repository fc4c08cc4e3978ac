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
        let seed = SeedDisk(machine)
        let userData = try machine.definition.flatMap { try seed.given($0) }
        let journal = machine.journal(record(box, provider))
        try journal.write { _ in }
        try project.boxes.recordUse(
            of: box, machine: machine.name, directory: folder.path, cancellation: project.cancellation)
        for index in box.disks.indices { try makeDisk(index, over: box.disks[index]) }
        if try !FileSystem.exists(folder.privateKey) {
            let key = try SSHKeyPair.generate(comment: "wander \(machine.name)")
            try AtomicFile.write(key.publicKey.line + "\n", to: folder.publicKey)
            try AtomicFile.write(key.privateKeyText, to: folder.privateKey, permissions: 0o600)
        }
        try seed.keep(userData)
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
            hardwareAddress: .random(), user: definition?.user ?? box.user ?? "vagrant", diskCount: box.disks.count,
            seed: SeedDisk.purpose(box, definition),
            // What was done before the box was packaged need not be done again.
            provisioning: definition?.adopted(box.provisioning, in: place, machine.project.environment)
                ?? box.provisioning,
            at: wallClockSeconds())
    }

    private func makeDisk(_ index: Int, over base: Box.Disk) throws {
        let disk = folder.disk(index)
        try FileSystem.remove(disk)
        // The Wanderfile's size is that of the disk that the guest boots from.
        let wanted = index == 0 ? machine.definition?.disk ?? 0 : 0
        try DiskImage.createOverlay(
            at: disk, backing: base.path, backingFormat: base.format, virtualSize: max(base.virtualSize, wanted))
    }
}
