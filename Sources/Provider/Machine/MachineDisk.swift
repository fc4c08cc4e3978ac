public import DiskImage

/// One disk of a machine that is there: what the `disk` commands look at and change.
public struct MachineDisk {
    public let machine: Machine
    private let stack: LayerStack

    /// - Parameter name: As the guest has it, `vda` for the first; nil means that one.
    /// - Throws: ``ProviderError/noSuchDisk(machine:disk:names:)``
    public init(_ machine: Machine, named name: String? = nil) throws {
        self.machine = machine
        let names = try machine.existingRecord().diskNames
        guard let index = name == nil ? 0 : names.firstIndex(where: { $0 == name }) else {
            throw ProviderError.noSuchDisk(machine: machine.name, disk: name ?? "", names: names)
        }
        stack = LayerStack(machine, disk: index)
    }

    /// The machine's own layers first and its box last. They come from the machine's record, whatever the images say.
    public func layers() throws -> [DiskLayer] { try stack.all(try machine.existingRecord()) }

    /// Gives `body` the disk of a halted machine to change. Only its first layer is the machine's own.
    /// - Throws: ``SnapshotError/notAtRest(machine:reason:)`` while the machine runs.
    public func change<Result>(_ body: ([DiskLayer]) throws -> Result) throws -> Result {
        try machine.exclusively {
            let journal = machine.journal(try machine.completeRecord())
            guard try machine.process(of: journal.record) == nil else {
                throw SnapshotError.notAtRest(machine: machine.name, reason: "the machine runs")
            }
            try MachineDisks.complete(machine, journal)
            try Preparations(machine).discard()
            return try body(try stack.own(journal.record))
        }
    }
}

extension MachineRecord {
    /// The machine's disks as its guest calls them, in their order.
    var diskNames: [String] {
        (0..<diskCount).map { "vd" + String(UnicodeScalar(UInt8(ascii: "a") + UInt8(clamping: min($0, 25)))) }
    }
}
