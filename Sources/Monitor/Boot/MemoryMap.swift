/// The guest's memory as firmware reports it (ACPI 6.5, section 15: the "E820" map).
struct MemoryMap: Equatable {
    enum Kind: UInt32 {
        case memory = 1
        case reserved = 2
    }
    struct Entry: Equatable {
        var address: UInt64
        var count: UInt64
        var kind: Kind
    }

    var entries: [Entry]

    init(_ platform: Platform) {
        entries = [
            Entry(address: 0, count: MachineLayout.tables, kind: .memory),
            Entry(
                address: MachineLayout.tables, count: MachineLayout.highMemory - MachineLayout.tables, kind: .reserved),
            Entry(
                address: MachineLayout.highMemory, count: platform.firstMemoryEnd - MachineLayout.highMemory,
                kind: .memory),
            // Linux uses the memory-mapped configuration space only if it is reserved.
            Entry(
                address: platform.configurationSpace.lowerBound, count: UInt64(platform.configurationSpace.count),
                kind: .reserved),
        ]
        let second = platform.secondMemory
        if !second.isEmpty {
            entries.append(Entry(address: second.lowerBound, count: UInt64(second.count), kind: .memory))
        }
    }
}
