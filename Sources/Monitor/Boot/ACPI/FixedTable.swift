/// The fixed table, FADT (ACPI 6.5, section 5.2.9): which hardware the guest drives by registers instead of by methods.
enum FixedTable {
    /// Where the address of the DSDT goes, in bytes from the table's start: as 32 bits, and as 64.
    static let differentiated = (short: 40, long: 140)
    /// The length of the header that all tables begin with, in bytes.
    private static let header = 36

    static func revision(_ kind: Platform.Kind) -> UInt8 {
        switch kind {
        case .hardwareReduced: 6
        case .personalComputer: 3
        }
    }

    /// What follows the table's header.
    static func body(_ kind: Platform.Kind) -> [UInt8] {
        switch kind {
        case .hardwareReduced: hardwareReduced
        case .personalComputer: personalComputer
        }
    }

    private struct Flags: OptionSet {
        let rawValue: UInt32
        static let cachesAreFlushed = Self(rawValue: 1 << 0)
        static let haltWorksOnAll = Self(rawValue: 1 << 2)
        static let noFixedPowerButton = Self(rawValue: 1 << 4)
        static let noFixedSleepButton = Self(rawValue: 1 << 5)
        static let noFixedClock = Self(rawValue: 1 << 6)
        static let timerHas32Bits = Self(rawValue: 1 << 8)
        static let hasResetRegister = Self(rawValue: 1 << 10)
        static let isHardwareReduced = Self(rawValue: 1 << 20)
    }

    private struct BootArchitecture: OptionSet {
        let rawValue: UInt16
        static let hasLegacyDevices = Self(rawValue: 1 << 0)
        static let noVGA = Self(rawValue: 1 << 2)
        static let noClock = Self(rawValue: 1 << 5)
    }

    /// A register in port space (section 5.2.3.2, generic address structure).
    private static func register(_ port: UInt16, bits: UInt8, accessWidth: UInt8) -> [UInt8] {
        var address: [UInt8] = [1, bits, 0, accessWidth]
        address.append(little: UInt64(port))
        return address
    }

    private static var hardwareReduced: [UInt8] {
        var table = [UInt8](repeating: 0, count: 276)
        table.put(([.noVGA, .noClock] as BootArchitecture).rawValue, at: 109)
        let flags: Flags = [.isHardwareReduced, .hasResetRegister, .noFixedSleepButton, .noFixedPowerButton]
        table.put(flags.rawValue, at: 112)
        let power = register(MachineLayout.powerPort, bits: 8, accessWidth: 1)
        table.replaceSubrange(116..<128, with: power)
        table[128] = MachineLayout.resetValue
        table[131] = 5
        // Sleep control and sleep status.
        table.replaceSubrange(244..<256, with: power)
        table.replaceSubrange(256..<268, with: power)
        table.replaceSubrange(268..<276, with: Array("WANDERVM".utf8))
        return Array(table.dropFirst(header))
    }

    /// The form of ACPI 2.0, which systems of the last twenty years read. There is no command port: the machine is in
    /// ACPI mode from the start.
    private static var personalComputer: [UInt8] {
        var table = [UInt8](repeating: 0, count: 244)
        table.put(UInt16(MachineLayout.systemControlInterrupt), at: 46)
        table.put(UInt32(MachineLayout.powerEventPort), at: 56)
        table.put(UInt32(MachineLayout.powerControlPort), at: 64)
        table.put(UInt32(MachineLayout.powerTimerPort), at: 76)
        // The lengths of these three registers, in bytes.
        (table[88], table[89], table[91]) = (4, 2, 4)
        // Longer than any that is used: there are no deeper sleep states of the processor.
        table.put(0x0fff as UInt16, at: 96)
        table.put(0x0fff as UInt16, at: 98)
        table.put(([.hasLegacyDevices, .noVGA] as BootArchitecture).rawValue, at: 109)
        let flags: Flags = [
            .cachesAreFlushed, .haltWorksOnAll, .noFixedSleepButton, .noFixedClock, .timerHas32Bits, .hasResetRegister,
        ]
        table.put(flags.rawValue, at: 112)
        table.replaceSubrange(
            116..<128, with: register(MachineLayout.resetPort, bits: 8, accessWidth: 1))
        table[128] = MachineLayout.resetPortValue
        table.replaceSubrange(148..<160, with: register(MachineLayout.powerEventPort, bits: 32, accessWidth: 2))
        table.replaceSubrange(172..<184, with: register(MachineLayout.powerControlPort, bits: 16, accessWidth: 2))
        table.replaceSubrange(208..<220, with: register(MachineLayout.powerTimerPort, bits: 32, accessWidth: 3))
        return Array(table.dropFirst(header))
    }
}
