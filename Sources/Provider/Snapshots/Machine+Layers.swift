import BoxFormat
public import DiskImage
import LinuxSystem
import SystemPackage

// A machine's disk is the layer that its guest writes to, over frozen layers if it has snapshots, over its box. The
// record names the frozen ones. The layer on top is made when there is none: freezing gives the present one a second
// name, and restoring only says which frozen ones hold; whatever instant that was interrupted at, what is missing is
// seen.
extension Machine {
    /// The machine's disk, its own layers first and its box last. Known from the machine's record, whatever the images
    /// say.
    public func diskLayers() throws -> [DiskLayer] { try diskLayers(try existingRecord()) }

    func diskLayers(_ record: MachineRecord) throws -> [DiskLayer] {
        let below = try layersBelow(record)
        return try lacksOwnLayer(record) ? below : [ownLayer(folder.disk)] + below
    }

    /// The machine's disk for writing.
    /// - Throws: ``SnapshotError/incompleteDisk(machine:)`` before ``completeDisk(_:)``: a snapshot's layer is never
    ///   written to.
    func ownDisk(_ record: MachineRecord) throws -> [DiskLayer] {
        guard try !lacksOwnLayer(record) else { throw SnapshotError.incompleteDisk(machine: name) }
        return try diskLayers(record)
    }

    /// Gives `body` the disk of a halted machine to change. Only its first layer is the machine's own.
    /// - Throws: ``SnapshotError/notAtRest(machine:reason:)`` while the machine runs.
    public func changeDisk<Result>(_ body: ([DiskLayer]) throws -> Result) throws -> Result {
        try exclusively {
            var record = try completeRecord()
            guard try process(of: record) == nil else {
                throw SnapshotError.notAtRest(machine: name, reason: "the machine runs")
            }
            try completeDisk(&record)
            try discardPreparation()
            return try body(try ownDisk(record))
        }
    }

    /// A layer of the machine's disk. What is below it the record says.
    func ownLayer(_ path: FilePath) -> DiskLayer { DiskLayer(path: path, format: .qcow2, isPlacedByRecord: true) }

    /// What is under the layer that the guest writes to.
    func layersBelow(_ record: MachineRecord) throws -> [DiskLayer] {
        let base = try box(of: record).disk
        return record.layers.map { ownLayer(folder.layer($0)) }
            + [DiskLayer(path: base.path, format: base.format)]
    }

    /// Whether the guest has nothing to write to yet: what stands there is older than what was restored, or has been
    /// frozen.
    private func lacksOwnLayer(_ record: MachineRecord) throws -> Bool {
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

    /// Makes the layer that the guest writes to, if it lacks. The machine does not run.
    func completeDisk(_ record: inout MachineRecord) throws {
        guard try lacksOwnLayer(record) else { return }
        let below = try layersBelow(record)
        let new = folder.path.appending("disk.new")
        try FileSystem.remove(new)
        // Named as it is found from beside it, so that other tools find it after a move too.
        let backing = record.layers.first.map { FilePath(MachineFolder.layerFile($0)) } ?? below[0].path
        try DiskImage.createOverlay(
            at: new, backing: backing, backingFormat: below[0].format,
            virtualSize: try DiskImage.virtualSize(of: below[0]))
        try FileSystem.rename(new, to: folder.disk)
        try FileSystem.synchronizeDirectory(folder.path)
        guard record.needsLayer else { return }
        record.needsLayer = false
        try project.store.save(&record)
    }

    /// Removes the layers that neither the disk nor a snapshot stands on, and what an interrupted command has left.
    func removeUnusedLayers(_ record: MachineRecord) throws {
        let used = Set(record.layerChains.joined().map(MachineFolder.layerFile))
        for file in try folder.layerFiles() where !used.contains(file) {
            try FileSystem.remove(folder.path.appending(file))
        }
    }
}
