/// What firmware finds of the machine when it asks (QEMU, docs/specs/fw_cfg.rst): numbers by key, and files by name.
public struct FirmwarePlan: Equatable, Sendable {
    /// A number of 16 bits under a key of its own. Other keys read as zeros.
    public struct Item: Equatable, Sendable {
        public var key: UInt16
        public var value: UInt16
    }
    public struct File: Equatable, Sendable {
        /// At most 55 bytes.
        public var name: String
        public var bytes: [UInt8]
    }

    public let items: [Item]
    public let files: [File]

    /// - Parameter disks: The numbers of the devices on the bus that are disks, the one to start from first.
    public init(_ platform: Platform, disks: [Int]) {
        let processors = UInt16(clamping: platform.processors)
        // Present and possible.
        items = [Item(key: 0x05, value: processors), Item(key: 0x0f, value: processors)]
        let loader = TableLoader(ACPITables(platform))
        files = [
            File(name: "bootorder", bytes: Self.order(disks)),
            File(name: TableLoader.rootName, bytes: loader.root),
            File(name: TableLoader.tablesName, bytes: loader.tables),
            // Stays at "No bootable device": whoever watches the console says so, and a restart would not help.
            File(name: "etc/boot-fail-wait", bytes: [0xff, 0xff, 0xff, 0xff]),
            File(name: "etc/e820", bytes: Self.memory(platform)),
            // The screen and the keyboard that a BIOS offers to loaders are the serial port.
            File(name: "etc/sercon-port", bytes: Self.number(MachineLayout.serialPorts.lowerBound)),
            File(name: "etc/table-loader", bytes: loader.script),
        ]
    }

    /// Open Firmware's paths, one a line. `HALT` ends the list: no other device is tried.
    private static func order(_ disks: [Int]) -> [UInt8] {
        let lines = disks.map { "/pci@i0cf8/scsi@\(String($0, radix: 16))/disk@0,0" } + ["HALT"]
        return Array(lines.joined(separator: "\n").utf8) + [0]
    }

    /// RAM, and what is neither RAM nor free for devices; firmware takes out what it uses itself.
    private static func memory(_ platform: Platform) -> [UInt8] {
        var bytes: [UInt8] = []
        func add(_ range: Range<UInt64>, _ kind: MemoryMap.Kind) {
            bytes.append(little: range.lowerBound)
            bytes.append(little: UInt64(range.count))
            bytes.append(little: kind.rawValue)
        }
        add(0..<platform.firstMemoryEnd, .memory)
        if !platform.secondMemory.isEmpty { add(platform.secondMemory, .memory) }
        add(platform.configurationSpace, .reserved)
        add(platform.hypervisorReserved..<platform.hypervisorReserved + 0x4000, .reserved)
        return bytes
    }

    private static func number(_ value: UInt16) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(little: value)
        return bytes
    }
}
