import BoxFormat
import Digest
import DiskImage
import LinuxSystem
import SystemPackage

/// One of a machine's disks: the layer that its guest writes to, over frozen layers if it has snapshots, over its box.
///
/// The record names the frozen layers. The top layer is made when there is none: freezing gives the present one a
/// second name, and restoring only records which frozen layers count. After an interruption at any instant, it is
/// visible what is missing.
struct LayerStack {
    let machine: Machine
    /// Counted from 0; the guest boots from the first.
    let index: Int
    private var folder: MachineFolder { machine.folder }
    /// The layer that the guest writes to.
    var top: FilePath { folder.disk(index) }

    init(_ machine: Machine, disk index: Int = 0) {
        self.machine = machine
        self.index = index
    }

    /// A frozen layer's file.
    func file(_ layer: String) -> FilePath { folder.layer(layer, disk: index) }

    /// The machine's own layers first and its box last. Known from the machine's record, whatever the images say.
    func all(_ record: MachineRecord) throws -> [DiskLayer] {
        let below = try below(record)
        return try lacksOwn(record) ? below : [layer(top)] + below
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
        let box = try machine.box(of: record)
        guard box.disks.indices.contains(index) else {
            throw ProviderError.boxChanged(
                machine: machine.name, box: box.identity.description, wanted: record.box.digest ?? "unknown",
                actual: box.digest.description)
        }
        let base = box.disks[index]
        return record.layers.map { layer(file($0)) }
            + [DiskLayer(path: base.path, format: base.format)]
    }

    /// Whether the guest has nothing to write to yet: what stands there is older than what was restored, or has been
    /// frozen.
    private func lacksOwn(_ record: MachineRecord) throws -> Bool {
        if record.needsLayer { return true }
        // Any of them: nothing that is frozen is ever written to.
        guard let disk = try FileSystem.status(top) else { return false }
        for name in Set(record.layerChains.joined()) {
            if let layer = try FileSystem.status(file(name)), layer.device == disk.device,
                layer.inode == disk.inode
            {
                return true
            }
        }
        return false
    }

    /// Makes the layer that the guest writes to, if there is none. The machine does not run.
    func complete(_ record: MachineRecord) throws {
        guard try lacksOwn(record) else { return }
        let below = try below(record)
        let new = folder.path.appending("disk.new")
        try FileSystem.remove(new)
        // Named as it is found from beside it, so that other tools find it after a move too.
        let backing = record.layers.first.map { FilePath(MachineFolder.layerFile($0, disk: index)) } ?? below[0].path
        try DiskImage.createOverlay(
            at: new, backing: backing, backingFormat: below[0].format,
            virtualSize: try DiskImage.virtualSize(of: below[0]))
        try FileSystem.rename(new, to: top)
        try FileSystem.synchronizeDirectory(folder.path)
    }
}
