/// How firmware is told to place the ACPI tables itself: their bytes, and a script of what to do with them
/// (SeaBIOS, src/fw/romfile_loader.h; QEMU, hw/acpi/bios-linker-loader.c; OVMF reads the same).
struct TableLoader: Equatable {
    static let tablesName = "etc/acpi/tables"
    static let rootName = "etc/acpi/rsdp"

    /// All tables but the root pointer, one behind the other.
    let tables: [UInt8]
    let root: [UInt8]
    let script: [UInt8]

    private enum Command: UInt32 {
        case allocate = 1
        case addPointer = 2
        case addChecksum = 3
    }
    /// Where firmware puts a file.
    private enum Zone: UInt8 {
        /// The end of RAM.
        case high = 1
        /// Below 1 MiB, where systems look for the root pointer.
        case firstSegment = 2
    }

    init(_ source: ACPITables) {
        let contents = source.tables.dropLast().map(\.bytes)
        var starts: [Int] = []
        var tables: [UInt8] = []
        for content in contents {
            tables += [UInt8](repeating: 0, count: (16 - tables.count % 16) % 16)
            starts.append(tables.count)
            tables += content
        }
        var root = source.tables.last?.bytes ?? []
        let rootIndex = source.tables.count - 1
        /// The file that a table is in, and the table's start there.
        func place(_ table: Int) -> (file: String, start: Int) {
            table == rootIndex ? (Self.rootName, 0) : (Self.tablesName, starts[table])
        }

        var script = Self.allocate(Self.rootName, alignment: 16, .firstSegment)
        script += Self.allocate(Self.tablesName, alignment: 64, .high)
        for fixUp in source.fixUps {
            switch fixUp {
            case .pointer(let table, let offset, let width, let target):
                let (from, to) = (place(table), place(target))
                // The place within the file; firmware adds where that is.
                for byte in 0..<width {
                    let value = UInt8(truncatingIfNeeded: to.start >> (8 * byte))
                    if from.file == Self.rootName {
                        root[from.start + offset + byte] = value
                    } else {
                        tables[from.start + offset + byte] = value
                    }
                }
                script += Self.addPointer(in: from.file, at: from.start + offset, width: width, to: to.file)
            case .checksum(let table, let offset, let range):
                let (file, start) = place(table)
                script += Self.addChecksum(
                    in: file, at: start + offset, of: start + range.lowerBound..<start + range.upperBound)
            }
        }
        self.tables = tables
        self.root = root
        self.script = script
    }

    /// An entry has 128 bytes, whatever it needs.
    private static func entry(_ command: Command, _ names: [String], _ rest: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(little: command.rawValue)
        for name in names {
            let name = Array(name.utf8.prefix(55))
            bytes += name + [UInt8](repeating: 0, count: 56 - name.count)
        }
        bytes += rest
        return bytes + [UInt8](repeating: 0, count: 128 - bytes.count)
    }

    private static func allocate(_ name: String, alignment: UInt32, _ zone: Zone) -> [UInt8] {
        var rest: [UInt8] = []
        rest.append(little: alignment)
        return entry(.allocate, [name], rest + [zone.rawValue])
    }

    private static func addPointer(in file: String, at offset: Int, width: Int, to target: String) -> [UInt8] {
        var rest: [UInt8] = []
        rest.append(little: UInt32(offset))
        return entry(.addPointer, [file, target], rest + [UInt8(width)])
    }

    private static func addChecksum(in file: String, at offset: Int, of range: Range<Int>) -> [UInt8] {
        var rest: [UInt8] = []
        for value in [offset, range.lowerBound, range.count] { rest.append(little: UInt32(value)) }
        return entry(.addChecksum, [file], rest)
    }
}
