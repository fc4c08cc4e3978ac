import BoxFormat
import DiskImage
import LinuxSystem
import SystemPackage

/// A machine's disk: the layer that its guest writes to, over frozen layers if it has snapshots, over its box.
///
/// The record names the frozen layers. The top layer is made when there is none: freezing gives the present one a
/// second name, and restoring only records which frozen layers count. After an interruption at any instant, it is
/// visible what is missing.
struct LayerStack {
    let machine: Machine
    private var folder: MachineFolder { machine.folder }

    init(_ machine: Machine) { self.machine = machine }

    /// The machine's own layers first and its box last. Known from the machine's record, whatever the images say.
    func all(_ record: MachineRecord) throws -> [DiskLayer] {
        let below = try below(record)
        return try lacksOwn(record) ? below : [layer(folder.disk)] + below
    }

    /// The disk for writing.
    /// - Throws: ``SnapshotError/incompleteDisk(machine:)`` before ``complete(_:)``: a snapshot's layer is never written
    ///   to.
    func own(_ record: MachineRecord) throws -> [DiskLayer] {
        guard try !lacksOwn(record) else { throw SnapshotError.incompleteDisk(machine: machine.name) }
        return try all(record)
    }

    /// A layer of the machine's disk. What is below it the record says.
    func layer(_ path: FilePath) -> DiskLayer { DiskLayer(path: path, format: .qcow2, isPlacedByRecord: true) }

    /// What is under the layer that the guest writes to.
    func below(_ record: MachineRecord) throws -> [DiskLayer] {
        let base = try machine.box(of: record).disk
        return record.layers.map { layer(folder.layer($0)) }
            + [DiskLayer(path: base.path, format: base.format)]
    }

    /// Whether the guest has nothing to write to yet: what stands there is older than what was restored, or has been
    /// frozen.
    private func lacksOwn(_ record: MachineRecord) throws -> Bool {
        if record.needsLayer { return true }
        // Any of them: nothing that is frozen is ever written to.
        guard let disk = try FileSystem.status(folder.disk) else { return false }
        for name in Set(record.layerChains.joined()) {
            if let layer = try FileSystem.status(folder.layer(name)), layer.device == disk.device,
                layer.inode == disk.inode
            {
                return true
            }
        }
        return false
    }

    /// Makes the layer that the guest writes to, if there is none. The machine does not run.
    func complete(_ journal: MachineJournal) throws {
        let record = journal.record
        guard try lacksOwn(record) else { return }
        let below = try below(record)
        let new = folder.path.appending("disk.new")
        try FileSystem.remove(new)
        // Named as it is found from beside it, so that other tools find it after a move too.
        let backing = record.layers.first.map { FilePath(MachineFolder.layerFile($0)) } ?? below[0].path
        try DiskImage.createOverlay(
            at: new, backing: backing, backingFormat: below[0].format,
            virtualSize: try DiskImage.virtualSize(of: below[0]))
        try FileSystem.rename(new, to: folder.disk)
        try FileSystem.synchronizeDirectory(folder.path)
        if record.needsLayer { try journal.write { $0.madeLayer() } }
    }

    /// Removes the layers that neither the disk nor a snapshot is made on, and what an interrupted command has left.
    func removeUnused(_ record: MachineRecord) throws {
        let used = Set(record.layerChains.joined().map(MachineFolder.layerFile))
        for file in try folder.layerFiles() where !used.contains(file) {
            try FileSystem.remove(folder.path.appending(file))
        }
    }
}
