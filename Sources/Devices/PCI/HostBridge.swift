import Synchronization

/// The bridge at 00:00.0. It does nothing, but it tells operating systems and firmware what machine this is: an Intel
/// 82441FX with the subsystem of QEMU, which SeaBIOS needs to place its windows.
public final class HostBridge: PCIFunction {
    private let configuration = Mutex(HostBridge.initial)
    private static let initial = ConfigurationSpace(
        vendor: 0x8086, device: 0x1237, revision: 2, classCode: 0x06_00_00, subsystemVendor: 0x1af4, subsystem: 0x1100)

    public init() {}

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
    public func reset() { configuration.withLock { $0 = Self.initial } }
}
