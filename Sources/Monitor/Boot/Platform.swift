/// What a guest is made of, as far as its firmware tables tell it.
public struct Platform: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// Nothing but what a kernel that is started directly needs: ACPI without fixed hardware.
        case hardwareReduced
        /// What firmware, boot loaders and old systems expect: interval timer, clock in CMOS, ACPI's fixed hardware.
        case personalComputer
    }

    public var kind: Kind
    /// RAM in bytes.
    public var memory: UInt64
    public var processors: Int

    public init(_ kind: Kind = .hardwareReduced, memory: UInt64, processors: Int) {
        self.kind = kind
        self.memory = memory
        self.processors = processors
    }

    /// Behind the last byte of RAM below the devices.
    public var firstMemoryEnd: UInt64 { min(memory, MachineLayout.firstMemoryLimit) }
    /// RAM above 4 GiB; empty if there is none.
    public var secondMemory: Range<UInt64> {
        MachineLayout.secondMemory..<MachineLayout.secondMemory + (memory - firstMemoryEnd)
    }

    /// In which PCI functions may answer. Firmware places them itself: SeaBIOS from the I/O APIC downwards, OVMF from
    /// the end of RAM on.
    public var deviceWindows: [Range<UInt64>] {
        switch kind {
        case .hardwareReduced: [MachineLayout.deviceWindow]
        case .personalComputer:
            [
                firstMemoryEnd..<configurationSpace.lowerBound,
                configurationSpace.upperBound..<MachineLayout.inputOutputController,
            ]
        }
    }

    /// Memory-mapped configuration space of PCI bus 0 (ECAM). OVMF takes everything up to 0xfc00_0000 for windows.
    public var configurationSpace: Range<UInt64> {
        switch kind {
        case .hardwareReduced: MachineLayout.configurationSpace
        case .personalComputer: 0xfc00_0000..<0xfc10_0000
        }
    }

    /// Four pages that KVM keeps for itself; a firmware image ends at 4 GiB and may be 16 MiB large.
    public var hypervisorReserved: UInt64 {
        switch kind {
        case .hardwareReduced: MachineLayout.hypervisorReserved
        case .personalComputer: 0xfeff_c000
        }
    }
}
