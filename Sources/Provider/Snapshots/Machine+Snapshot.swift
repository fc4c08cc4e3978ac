import DiskImage
import LinuxSystem
import Reporting
import SSH
import SystemPackage

extension Machine {
    /// So many frozen layers a disk may stand on: each is one more place to look a block up in.
    static let layerLimit = 24
    /// From so many on, those that may be one are made one.
    private static let comfortableDepth = 8

    /// The machine's snapshots, the oldest first; none if there is no machine. Changes nothing.
    public func snapshots() throws -> [MachineSnapshot] { try project.store.load(name)?.snapshots ?? [] }

    /// Keeps the disk as it is now. A halted machine's is frozen at once; a running machine's guest writes everything
    /// down and waits while it is copied, and goes on.
    /// - Parameters:
    ///   - snapshot: nil makes a name up, for the stack that ``popped()`` takes from.
    ///   - replaces: Whether one of that name may be replaced.
    public func saveSnapshot(_ snapshot: String?, replaces: Bool) throws -> MachineSnapshot {
        if let snapshot { try MachineSnapshot.check(snapshot) }
        return try exclusively {
            var record = try completeRecord()
            let created = wallClockSeconds()
            let name = snapshot ?? Self.pushedName(created, record.snapshots)
            guard replaces || !record.snapshots.contains(where: { $0.name == name }) else {
                throw SnapshotError.exists(machine: self.name, name: name)
            }
            if record.layers.count >= Self.comfortableDepth { try mergeLayers(&record) }
            guard record.layers.count < Self.layerLimit else {
                throw SnapshotError.tooDeep(machine: self.name, limit: record.layers.count)
            }
            let isAlive = try folder.isAlive()
            let layer = try isAlive ? copiedLayer(record) : frozenLayer(&record)
            let saved = MachineSnapshot(
                name, of: record, layers: [layer] + record.layers, created: created, isPushed: snapshot == nil)
            record.snapshots.removeAll { $0.name == name }
            record.snapshots.append(saved)
            // A running machine goes on with the layer it has, of which the new one is a copy.
            if !isAlive { record.layers = saved.layers }
            try project.store.save(&record)
            if !isAlive { try completeDisk(&record) }
            try removeUnusedLayers(record)
            return saved
        }
    }

    /// Gives a halted machine's own layer a second name, under which nobody writes to it.
    private func frozenLayer(_ record: inout MachineRecord) throws -> String {
        try completeDisk(&record)
        report(.step("freezing the disk"))
        let layer = randomIdentifier()
        try FileSystem.link(folder.disk, to: folder.layer(layer))
        try FileSystem.synchronizeDirectory(folder.path)
        return layer
    }

    private func copiedLayer(_ record: MachineRecord) throws -> String {
        let session = try reach(record) { SnapshotError.notAtRest(machine: name, reason: $0) }
        defer { session.close() }
        let layer = randomIdentifier()
        // What an earlier command was killed over.
        try removeUnusedLayers(record)
        let part = folder.path.appending("layer-\(layer).part")
        do {
            try copyLiveDisk(over: session, to: part)
        } catch let PackageError.cannotFreeze(_, reason) {
            try? FileSystem.remove(part)
            throw SnapshotError.notAtRest(machine: name, reason: reason)
        } catch {
            try? FileSystem.remove(part)
            throw error
        }
        // Opening and closing it brings its counts of clusters, which a running machine keeps in memory, up to date.
        let image = try DiskImage.open(
            [ownLayer(part)] + layersBelow(record), access: .readWrite)
        try image.close()
        try FileSystem.rename(part, to: folder.layer(layer))
        try FileSystem.synchronizeDirectory(folder.path)
        return layer
    }

    /// Brings the disk back to a snapshot. A machine that runs is stopped by its power: what it has not saved is to go
    /// anyway.
    /// - Parameter snapshot: nil takes the last one that was pushed.
    public func restoreSnapshot(_ snapshot: String?) throws -> MachineSnapshot {
        try exclusively {
            var record = try completeRecord()
            let saved = try find(snapshot, record)
            for layer in saved.layers where try !FileSystem.exists(folder.layer(layer)) {
                throw SnapshotError.damaged(
                    machine: name, name: saved.name, file: folder.layer(layer).string)
            }
            try stop(&record, .force)
            report(.step("restoring '\(saved.name)' of \(timestamp(saved.created))"))
            try discardPreparation()
            record.layers = saved.layers
            record.needsLayer = true
            record.provisioning = saved.provisioning
            record.hasOwnKey = saved.hasOwnKey
            record.hostKey = saved.hostKey
            record.hasShareLines = saved.hasShareLines
            try project.store.save(&record)
            try completeDisk(&record)
            try removeUnusedLayers(record)
            return saved
        }
    }

    /// Forgets a snapshot. What the disk or other snapshots stand on stays, in as few layers as may be.
    public func deleteSnapshot(_ snapshot: String) throws -> MachineSnapshot {
        try exclusively {
            var record = try completeRecord()
            let saved = try find(snapshot, record)
            record.snapshots.removeAll { $0.name == saved.name }
            try project.store.save(&record)
            try removeUnusedLayers(record)
            try mergeLayers(&record)
            return saved
        }
    }

    private func find(_ snapshot: String?, _ record: MachineRecord) throws(SnapshotError) -> MachineSnapshot {
        guard let snapshot else {
            guard let last = record.snapshots.last(where: \.isPushed) else { throw .nonePushed(machine: name) }
            return last
        }
        if let found = record.snapshots.first(where: { $0.name == snapshot }) { return found }
        throw .missing(
            machine: name, name: snapshot, suggestion: nearest(to: snapshot, in: record.snapshots.map(\.name)))
    }

    /// A name by the time, which no other snapshot has.
    private static func pushedName(_ time: Int64, _ snapshots: [MachineSnapshot]) -> String {
        let names = Set(snapshots.map(\.name))
        let base = "push_\(time)"
        return names.contains(base) ? (2...).lazy.map { "\(base)_\($0)" }.first { !names.contains($0) } ?? base : base
    }

    /// How much the layers of the machine's snapshots take on the disk, in bytes, each counted once.
    public func snapshotBytes() -> UInt64 {
        let files = (try? folder.layerFiles()) ?? []
        return files.reduce(0) { sum, file in
            sum + UInt64(clamping: ((try? FileSystem.status(folder.path.appending(file))) ?? nil)?.allocated ?? 0)
        }
    }
}
