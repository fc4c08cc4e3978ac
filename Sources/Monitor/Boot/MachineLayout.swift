/// Where everything is in the guest's physical address space and port space. The ACPI tables tell the guest the same.
public enum MachineLayout {
    // Below 1 MiB: what the processor and the kernel are given to start with.
    static let descriptorTable: UInt64 = 0x500
    static let interruptTable: UInt64 = 0x520
    static let startInformation: UInt64 = 0x6000
    static let startModules: UInt64 = 0x6040
    static let startMemoryMap: UInt64 = 0x6100
    static let zeroPage: UInt64 = 0x7000
    static let stack: UInt64 = 0x8ff0
    static let pageTables: UInt64 = 0x9000
    static let commandLine: UInt64 = 0x20000
    static let tables: UInt64 = 0x9fc00
    static let rootPointer: UInt64 = 0xe0000
    /// Where a processor in real mode goes to be reset.
    static let resetVector: UInt64 = 0xffff0
    /// The first byte of memory that is RAM throughout.
    static let highMemory: UInt64 = 0x10_0000

    /// RAM ends here at the latest and continues at ``secondMemory``: 3 GiB.
    public static let firstMemoryLimit: UInt64 = 0xc000_0000
    public static let secondMemory: UInt64 = 0x1_0000_0000
    /// The addresses at which PCI functions answer.
    public static let deviceWindow: Range<UInt64> = 0xc000_1000..<0xeec0_0000
    /// Memory-mapped configuration space of PCI bus 0 (ECAM).
    public static let configurationSpace: Range<UInt64> = 0xeec0_0000..<0xeed0_0000
    public static let inputOutputController: UInt64 = 0xfec0_0000
    public static let localController: UInt64 = 0xfee0_0000
    /// Four pages that KVM keeps for itself.
    public static let hypervisorReserved: UInt64 = 0xfffb_c000

    public static let serialPorts: ClosedRange<UInt16> = 0x3f8...0x3ff
    public static let serialInterrupt: UInt32 = 4
    public static let configurationPorts: ClosedRange<UInt16> = 0xcf8...0xcff
    /// ACPI's sleep control, sleep status and reset register in one (ACPI 6.5, section 4.8.4.1).
    public static let powerPort: UInt16 = 0x600
    public static let powerButtonInterrupt: UInt32 = 5

    // ACPI's fixed hardware of a personal computer (ACPI 6.5, section 4.8.3), where the other kind has `powerPort`.
    /// Status and enable register, 16 bits each.
    public static let powerEventPort: UInt16 = 0x600
    /// 16 bits.
    public static let powerControlPort: UInt16 = 0x604
    /// 32 bits.
    public static let powerTimerPort: UInt16 = 0x608
    public static let systemControlInterrupt: UInt32 = 9

    // What else firmware and boot loaders find in a personal computer.
    /// Index and data of the clock's registers and the memory beside them.
    public static let clockPorts: ClosedRange<UInt16> = 0x70...0x71
    public static let clockInterrupt: UInt32 = 8
    /// fw_cfg: selector, data, and the address of a command in memory.
    public static let firmwarePorts: ClosedRange<UInt16> = 0x510...0x51b

    // Ports by which kernels reset a PC when they find no better way, and what they write there.
    /// The keyboard controller's commands and status.
    public static let keyboardPort: UInt16 = 0x64
    public static let keyboardResets: UInt8 = 0xfe
    /// A bit of system control port A.
    public static let fastResetPort: UInt16 = 0x92
    public static let fastResets: UInt8 = 1 << 0
    /// A bit of the reset control register of PC chipsets, one byte wide and among ``configurationPorts``.
    public static let resetPort: UInt16 = 0xcf9
    public static let resetPortResets: UInt8 = 1 << 2
    /// What the ACPI tables of a personal computer have the guest write there.
    static let resetPortValue: UInt8 = 0x06
    /// Where firmware and kernels report how far they have come.
    public static let progressPort: UInt16 = 0x80

    /// What the guest writes to ``powerPort`` to reset itself.
    public static let resetValue: UInt8 = 1
    /// A guest that finds no way to reset itself ends in real mode at the reset vector: Linux on hardware-reduced ACPI
    /// does, since it takes such a machine for one with EFI. There it finds what firmware would have:
    /// `mov dx, powerPort; mov al, resetValue; out dx, al; hlt; jmp` back to the `hlt`.
    static let resetCode: [UInt8] = [
        0xba, UInt8(truncatingIfNeeded: powerPort), UInt8(powerPort >> 8), 0xb0, resetValue, 0xee, 0xf4, 0xeb, 0xfd,
    ]

    /// What the guest writes to ``powerPort`` to switch itself off: sleep type 5, sleep enable.
    public static let powerOffValue: UInt8 = 5 << 2 | 1 << 5
}
