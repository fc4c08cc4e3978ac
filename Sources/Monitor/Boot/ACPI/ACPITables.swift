/// The tables that tell a guest what hardware it has (ACPI 6.5, chapter 5), hardware-reduced: no fixed hardware, no
/// legacy timers or interrupt controllers.
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
        let differentiated = add("DSDT", revision: 6, DifferentiatedTable.body)
        let fixed = addFixedTable(differentiated: differentiated)
        let controllers = add("APIC", revision: 5, Self.controllers(platform))
        let configuration = add("MCFG", revision: 1, Self.configurationSpace)
        addRoots(to: [fixed, controllers, configuration])
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

    /// The fixed table, FADT (section 5.2.9).
    private mutating func addFixedTable(differentiated: Int) -> Int {
        var body = [UInt8](repeating: 0, count: 276 - 36)
        func at(_ offset: Int) -> Int { offset - 36 }
        func register(_ port: UInt16) -> [UInt8] {
            var address: [UInt8] = [1, 8, 0, 1]  // Port space, 8 bits wide, accessed as bytes.
            address.append(little: UInt64(port))
            return address
        }
        // No VGA, no clock in CMOS; no 8042 either, which is bit 1.
        body.put(1 << 2 | 1 << 5 as UInt16, at: at(109))
        // Hardware-reduced; reset register; power and sleep buttons are no fixed hardware.
        body.put(1 << 20 | 1 << 10 | 1 << 5 | 1 << 4 as UInt32, at: at(112))
        body.replaceSubrange(at(116)..<at(128), with: register(MachineLayout.powerPort))
        body[at(128)] = MachineLayout.resetValue
        body[at(131)] = 5
        body.replaceSubrange(at(244)..<at(256), with: register(MachineLayout.powerPort))
        body.replaceSubrange(at(256)..<at(268), with: register(MachineLayout.powerPort))
        body.replaceSubrange(at(268)..<at(276), with: Array("WANDERVM".utf8))
        let table = add("FACP", revision: 6, body)
        fixUps.insert(.pointer(table: table, offset: 140, width: 8, target: differentiated), at: fixUps.count - 1)
        return table
    }

    /// The interrupt controllers: a local one for each processor and one for inputs (MADT, section 5.2.12).
    private static func controllers(_ platform: Platform) -> [UInt8] {
        var body: [UInt8] = []
        body.append(little: UInt32(MachineLayout.localController))
        body.append(little: 0 as UInt32)
        for index in 0..<platform.processors {
            let identifier = UInt8(truncatingIfNeeded: index)
            body += [0, 8, identifier, identifier, 1, 0, 0, 0]
        }
        body += [1, 12, 0, 0]
        body.append(little: UInt32(MachineLayout.inputOutputController))
        body.append(little: 0 as UInt32)
        // Input 4 is as on the ISA bus: edge-triggered, active high.
        body += [2, 10, 0, UInt8(MachineLayout.serialInterrupt)]
        body.append(little: MachineLayout.serialInterrupt)
        body.append(little: 0 as UInt16)
        return body
    }

    /// Where PCI configuration space is mapped (MCFG, PCI firmware specification 3.0, section 4.1.2).
    private static var configurationSpace: [UInt8] {
        var body = [UInt8](repeating: 0, count: 8)
        body.append(little: MachineLayout.configurationSpace.lowerBound)
        body += [0, 0, 0, 0, 0, 0, 0, 0]  // Segment 0, buses 0 to 0.
        return body
    }

    /// The table of tables, XSDT (section 5.2.8), and the root pointer, RSDP (section 5.2.5.3).
    private mutating func addRoots(to targets: [Int]) {
        let list = add("XSDT", revision: 1, [UInt8](repeating: 0, count: 8 * targets.count))
        for (position, target) in targets.enumerated() {
            fixUps.insert(
                .pointer(table: list, offset: 36 + 8 * position, width: 8, target: target), at: fixUps.count - 1)
        }
        var root = Array("RSD PTR ".utf8) + [0] + Array("WANDER".utf8) + [2]
        root.append(little: 0 as UInt32)
        root.append(little: 36 as UInt32)
        root.append(little: 0 as UInt64)
        root += [0, 0, 0, 0]
        tables.append(Table(name: "RSDP", bytes: root))
        let index = tables.count - 1
        fixUps.append(.pointer(table: index, offset: 24, width: 8, target: list))
        fixUps.append(.checksum(table: index, offset: 8, range: 0..<20))
        fixUps.append(.checksum(table: index, offset: 32, range: 0..<36))
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
