/// The tables that tell a guest what hardware it has (ACPI 6.5, chapter 5).
///
/// Pointers between tables and checksums are kept as data, because firmware that places tables itself must recompute
/// them.
struct ACPITables {
    struct Table: Equatable {
        var name: String
        var bytes: [UInt8]
    }

    /// What has to be done once a table's place is known.
    enum FixUp: Equatable {
        /// The address of a table, in `width` bytes at `offset` of another.
        case pointer(table: Int, offset: Int, width: Int, target: Int)
        /// The byte at `offset` makes the sum of `range` zero.
        case checksum(table: Int, offset: Int, range: Range<Int>)
    }

    /// The last one is the root pointer; its place is its own.
    private(set) var tables: [Table] = []
    private(set) var fixUps: [FixUp] = []

    init(_ platform: Platform) {
        let differentiated = add("DSDT", revision: 6, DifferentiatedTable.body(platform))
        let fixed = addFixedTable(platform.kind, differentiated: differentiated)
        let controllers = add("APIC", revision: 5, Self.controllers(platform))
        let configuration = add("MCFG", revision: 1, Self.configurationSpace(platform))
        addRoots(platform.kind, to: [fixed, controllers, configuration])
    }

    /// Adds a table behind its header of 36 bytes (section 5.2.6).
    private mutating func add(_ signature: String, revision: UInt8, _ body: [UInt8]) -> Int {
        var bytes = Array(signature.utf8)
        bytes.append(little: UInt32(36 + body.count))
        bytes += [revision, 0]
        bytes += Array("WANDER".utf8) + Array("WANDERVM".utf8)
        bytes.append(little: 1 as UInt32)
        bytes += Array("WNDR".utf8)
        bytes.append(little: 1 as UInt32)
        tables.append(Table(name: signature, bytes: bytes + body))
        fixUps.append(.checksum(table: tables.count - 1, offset: 9, range: 0..<bytes.count + body.count))
        return tables.count - 1
    }

    private mutating func addFixedTable(_ kind: Platform.Kind, differentiated: Int) -> Int {
        let table = add("FACP", revision: FixedTable.revision(kind), FixedTable.body(kind))
        point(table, FixedTable.differentiated.long, width: 8, to: differentiated)
        // SeaBIOS reads this one alone.
        if kind == .personalComputer { point(table, FixedTable.differentiated.short, width: 4, to: differentiated) }
        return table
    }

    /// Has a field of the table added last point to another: before the checksum over it.
    private mutating func point(_ table: Int, _ offset: Int, width: Int, to target: Int) {
        fixUps.insert(.pointer(table: table, offset: offset, width: width, target: target), at: fixUps.count - 1)
    }

    /// The interrupt controllers: a local one for each processor and one for inputs (MADT, section 5.2.12).
    private static func controllers(_ platform: Platform) -> [UInt8] {
        var body: [UInt8] = []
        body.append(little: UInt32(MachineLayout.localController))
        // Whether there is a pair of 8259 controllers too, which the system has to mask.
        body.append(little: platform.kind == .personalComputer ? 1 : 0 as UInt32)
        for index in 0..<platform.processors {
            let identifier = UInt8(truncatingIfNeeded: index)
            body += [0, 8, identifier, identifier, 1, 0, 0, 0]
        }
        body += [1, 12, 0, 0]
        body.append(little: UInt32(MachineLayout.inputOutputController))
        body.append(little: 0 as UInt32)
        // Input 4 is as on the ISA bus: edge-triggered, active high.
        body += override(MachineLayout.serialInterrupt, flags: 0)
        if platform.kind == .personalComputer {
            // Level-triggered, active high.
            body += override(MachineLayout.systemControlInterrupt, flags: 0x000d)
        }
        return body
    }

    /// How an interrupt of the ISA bus reaches the I/O APIC (section 5.2.12.5): by the input of its own number.
    private static func override(_ number: UInt32, flags: UInt16) -> [UInt8] {
        var entry: [UInt8] = [2, 10, 0, UInt8(truncatingIfNeeded: number)]
        entry.append(little: number)
        entry.append(little: flags)
        return entry
    }

    /// Where PCI configuration space is mapped (MCFG, PCI firmware specification 3.0, section 4.1.2).
    private static func configurationSpace(_ platform: Platform) -> [UInt8] {
        var body = [UInt8](repeating: 0, count: 8)
        body.append(little: platform.configurationSpace.lowerBound)
        body += [0, 0, 0, 0, 0, 0, 0, 0]  // Segment 0, buses 0 to 0.
        return body
    }

    /// The tables of tables, RSDT and XSDT (sections 5.2.7 and 5.2.8), and the root pointer, RSDP (section 5.2.5.3).
    private mutating func addRoots(_ kind: Platform.Kind, to targets: [Int]) {
        // Boot loaders and old kernels know the one with 32-bit addresses alone.
        let short = kind == .personalComputer ? addList("RSDT", width: 4, targets) : nil
        let long = addList("XSDT", width: 8, targets)
        var root = Array("RSD PTR ".utf8) + [0] + Array("WANDER".utf8) + [2]
        root.append(little: 0 as UInt32)
        root.append(little: 36 as UInt32)
        root.append(little: 0 as UInt64)
        root += [0, 0, 0, 0]
        tables.append(Table(name: "RSDP", bytes: root))
        let index = tables.count - 1
        if let short { fixUps.append(.pointer(table: index, offset: 16, width: 4, target: short)) }
        fixUps.append(.pointer(table: index, offset: 24, width: 8, target: long))
        fixUps.append(.checksum(table: index, offset: 8, range: 0..<20))
        fixUps.append(.checksum(table: index, offset: 32, range: 0..<36))
    }

    private mutating func addList(_ signature: String, width: Int, _ targets: [Int]) -> Int {
        let list = add(signature, revision: 1, [UInt8](repeating: 0, count: width * targets.count))
        for (position, target) in targets.enumerated() { point(list, 36 + width * position, width: width, to: target) }
        return list
    }

    /// The tables with their pointers and checksums, at their places in guest memory.
    func placed() -> [BootWrite] {
        var addresses: [UInt64] = []
        var next = MachineLayout.tables
        for table in tables.dropLast() {
            addresses.append(next)
            next = (next + UInt64(table.bytes.count) + 15) & ~15
        }
        addresses.append(MachineLayout.rootPointer)
        var contents = tables.map(\.bytes)
        for fixUp in fixUps {
            switch fixUp {
            case .pointer(let table, let offset, let width, let target):
                if width == 8 {
                    contents[table].put(addresses[target], at: offset)
                } else {
                    contents[table].put(UInt32(truncatingIfNeeded: addresses[target]), at: offset)
                }
            case .checksum(let table, let offset, let range):
                contents[table][offset] = 0
                contents[table][offset] = 0 &- contents[table][range].reduce(0, &+)
            }
        }
        return zip(addresses, contents).map { BootWrite(address: $0, content: .bytes($1)) }
    }
}
