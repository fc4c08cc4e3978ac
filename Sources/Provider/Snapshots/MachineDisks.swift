import LinuxSystem
import SystemPackage

/// All disks of a machine, as many as its box has. Each layer that the record names is a file for each disk: they are
/// frozen, restored and removed together.
struct MachineDisks {
    private let machine: Machine
    private let record: MachineRecord
    private var folder: MachineFolder { machine.folder }
    /// The disk that the guest boots from is the first.
    var stacks: [LayerStack] { (0..<record.diskCount).map { LayerStack(machine, disk: $0) } }

    init(_ machine: Machine, _ record: MachineRecord) {
        self.machine = machine
        self.record = record
    }

    /// Makes the layers that the guest writes to, where there are none. The machine does not run.
    static func complete(_ machine: Machine, _ journal: MachineJournal) throws {
        for stack in MachineDisks(machine, journal.record).stacks { try stack.complete(journal.record) }
        if journal.record.needsLayer { try journal.write { $0.madeLayer() } }
    }

    /// Gives the layers that the guest writes to a second name, under which nobody writes to them.
    func freeze(as layer: String) throws(SystemError) {
        for stack in stacks { try FileSystem.link(stack.top, to: stack.file(layer)) }
        try FileSystem.synchronizeDirectory(folder.path)
    }

    /// Removes the layers that neither a disk nor a snapshot is made on, and what an interrupted command has left.
    func removeUnused() throws {
        let layers = Set(record.layerChains.joined())
        let used = Set(
            layers.flatMap { layer in (0..<record.diskCount).map { MachineFolder.layerFile(layer, disk: $0) } })
        for file in try folder.layerFiles() where !used.contains(file) {
            try FileSystem.remove(folder.path.appending(file))
        }
    }
}
