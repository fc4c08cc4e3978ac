import DiskImage
import LinuxSystem
import Reporting
import SSH
import SystemPackage

/// Saves, restores and deletes a machine's snapshots.
struct SnapshotJob {
    /// So many frozen layers a disk may have below it: each is one more place to look a block up in.
    static let layerLimit = 24
    /// From so many on, those that may be one are made one.
    private static let comfortableDepth = 8

    let machine: Machine
    let journal: MachineJournal
    private var folder: MachineFolder { machine.folder }
    private var disks: MachineDisks { MachineDisks(machine, journal.record) }

    init(_ machine: Machine, _ record: MachineRecord) {
        self.machine = machine
        journal = machine.journal(record)
    }

    /// See ``Machine/saveSnapshot(_:replaces:)``.
    func save(_ snapshot: String?, replaces: Bool) throws -> MachineSnapshot {
        let created = wallClockSeconds()
        let present = journal.record.snapshots
        let name = snapshot ?? Self.pushedName(created, present)
        guard replaces || !present.contains(where: { $0.name == name }) else {
            throw SnapshotError.exists(machine: machine.name, name: name)
        }
        if journal.record.layers.count >= Self.comfortableDepth { try LayerMerge(machine, journal).run() }
        guard journal.record.layers.count < Self.layerLimit else {
            throw SnapshotError.tooDeep(machine: machine.name, limit: journal.record.layers.count)
        }
        let isAlive = try folder.isAlive()
        let layer = try isAlive ? copiedLayer() : frozenLayer()
        let saved = MachineSnapshot(
            name, of: journal.record, layers: [layer] + journal.record.layers, created: created,
            isPushed: snapshot == nil)
        try journal.write { $0.saved(saved, freezes: !isAlive) }
        if !isAlive { try MachineDisks.complete(machine, journal) }
        try disks.removeUnused()
        return saved
    }

    /// See ``Machine/restoreSnapshot(_:)``.
    func restore(_ snapshot: String?) throws -> MachineSnapshot {
        let saved = try find(snapshot)
        for file in saved.layers.flatMap({ layer in disks.stacks.map { $0.file(layer) } })
        where try !FileSystem.exists(file) {
            throw SnapshotError.damaged(machine: machine.name, name: saved.name, file: file.string)
        }
        try Stopping(machine, journal).run(.force)
        machine.report(.step("restoring '\(saved.name)' of \(timestamp(saved.created))"))
        try Preparations(machine).discard()
        try journal.write { $0.restored(saved) }
        try MachineDisks.complete(machine, journal)
        try disks.removeUnused()
        return saved
    }

    /// See ``Machine/deleteSnapshot(_:)``.
    func delete(_ snapshot: String) throws -> MachineSnapshot {
        let saved = try find(snapshot)
        try journal.write { $0.forgot(saved.name) }
        try disks.removeUnused()
        try LayerMerge(machine, journal).run()
        return saved
    }

    /// Gives a halted machine's own layer a second name, under which nobody writes to it.
    private func frozenLayer() throws -> String {
        try MachineDisks.complete(machine, journal)
        machine.report(.step("freezing the disk"))
        let layer = randomIdentifier()
        try disks.freeze(as: layer)
        return layer
    }

    private func copiedLayer() throws -> String {
        let record = journal.record
        let session = try GuestAccess(machine).reach(record) {
            SnapshotError.notAtRest(machine: machine.name, reason: $0)
        }
        defer { session.close() }
        let layer = randomIdentifier()
        // What an earlier command was killed over.
        try disks.removeUnused()
        let copies = disks.stacks.map { stack in
            (stack: stack, part: folder.path.appending("layer-\(layer).\(stack.index).part"))
        }
        do {
            try LiveCopy(machine).run(over: session, copies.map { ($0.stack.top, $0.part) })
        } catch {
            for copy in copies { try? FileSystem.remove(copy.part) }
            guard case PackageError.cannotFreeze(_, let reason) = error else { throw error }
            throw SnapshotError.notAtRest(machine: machine.name, reason: reason)
        }
        for (stack, part) in copies {
            // Opening and closing it brings its counts of clusters, which a running machine keeps in memory, up to
            // date.
            let image = try DiskImage.open([stack.layer(part)] + stack.below(record), access: .readWrite)
            try image.close()
            try FileSystem.rename(part, to: stack.file(layer))
        }
        try FileSystem.synchronizeDirectory(folder.path)
        return layer
    }

    private func find(_ snapshot: String?) throws(SnapshotError) -> MachineSnapshot {
        let record = journal.record
        guard let snapshot else {
            guard let last = record.snapshots.last(where: \.isPushed) else { throw .nonePushed(machine: machine.name) }
            return last
        }
        if let found = record.snapshots.first(where: { $0.name == snapshot }) { return found }
        throw .missing(
            machine: machine.name, name: snapshot, suggestion: nearest(to: snapshot, in: record.snapshots.map(\.name)))
    }

    /// A name by the time, which no other snapshot has.
    private static func pushedName(_ time: Int64, _ snapshots: [MachineSnapshot]) -> String {
        let names = Set(snapshots.map(\.name))
        let base = "push_\(time)"
        return names.contains(base) ? (2...).lazy.map { "\(base)_\($0)" }.first { !names.contains($0) } ?? base : base
    }
}

extension Machine {
    /// The disk space of the layers of the machine's snapshots, in bytes, each layer counted once.
    public func snapshotBytes() -> UInt64 {
        let files = (try? folder.layerFiles()) ?? []
        return files.reduce(0) { sum, file in
            sum + UInt64(clamping: ((try? FileSystem.status(folder.path.appending(file))) ?? nil)?.allocated ?? 0)
        }
    }
}
