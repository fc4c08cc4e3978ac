import Synchronization

/// A function of the board itself. It does nothing, but it tells operating systems and firmware what machine this is.
public final class ChipsetFunction: PCIFunction {
    private let initial: ConfigurationSpace
    private let configuration: Mutex<ConfigurationSpace>

    private init(device: UInt16, revision: UInt8, classCode: UInt32, registers: [(offset: Int, value: UInt32)] = []) {
        // Intel's, with the subsystem of QEMU.
        var space = ConfigurationSpace(
            vendor: 0x8086, device: device, revision: revision, classCode: classCode, subsystemVendor: 0x1af4,
            subsystem: 0x1100)
        for register in registers { space.set(register.value, at: register.offset) }
        initial = space
        configuration = Mutex(space)
    }

    /// The bridge at 00:00.0: an 82441FX, which SeaBIOS and OVMF need to place their windows.
    public static var hostBridge: ChipsetFunction {
        ChipsetFunction(device: 0x1237, revision: 2, classCode: 0x06_00_00)
    }

    /// A bridge to what is at fixed ports (82371SB): OVMF looks for a serial port beyond one.
    public static var portBridge: ChipsetFunction {
        ChipsetFunction(device: 0x7000, revision: 0, classCode: 0x06_01_00)
    }

    /// Power management (82371AB), as far as OVMF reads it: where ACPI's registers are, which it does not move once they
    /// are switched on. It takes its time from the timer among them.
    /// - Parameter ports: The first of ACPI's ports; a multiple of 64.
    public static func powerManagement(ports: UInt16) -> ChipsetFunction {
        ChipsetFunction(
            device: 0x7113, revision: 3, classCode: 0x06_80_00, registers: [(0x40, UInt32(ports) | 1), (0x80, 1)])
    }

    public func readConfiguration(at offset: Int, count: Int) -> UInt32 {
        configuration.withLock { $0.read(at: offset, count: count) }
    }
    public func writeConfiguration(_ value: UInt32, at offset: Int, count: Int) -> PCIConfigurationEffect {
        _ = configuration.withLock { $0.write(value, at: offset, count: count) }
        return .none
    }
    public var memoryWindows: [PCIMemoryWindow] { [] }
    public var decodesMemory: Bool { false }
    public func assignAddress(_ address: UInt64, bar: Int) {}
    public func windowMoved(bar: Int, to address: UInt64?) {}
    public func readMemory(bar: Int, offset: UInt64, count: Int) -> UInt64 { .max }
    public func writeMemory(_ value: UInt64, bar: Int, offset: UInt64, count: Int) {}
    public func reset() { configuration.withLock { $0 = initial } }
}
