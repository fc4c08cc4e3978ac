/// One function on a PCI bus: its configuration space, and the memory behind its base address registers.
///
/// Thread safety: the bus serialises configuration accesses and ``windowMoved(bar:to:)``.
/// ``readMemory(bar:offset:count:)`` and ``writeMemory(_:bar:offset:count:)`` come from any vCPU's thread at any time,
/// so a function locks what they share. A function never calls back into the bus.
public protocol PCIFunction: AnyObject, Sendable {
    /// Reads a register.
    /// - Parameters:
    ///   - offset: 0 to 4095, in bytes.
    ///   - count: 1, 2 or 4 bytes, which do not cross a multiple of 4.
    func readConfiguration(at offset: Int, count: Int) -> UInt32
    /// Writes a register, with the same limits. Writes to what is read-only have no effect.
    func writeConfiguration(_ value: UInt32, at offset: Int, count: Int) -> PCIConfigurationEffect

    /// The base address registers of the function, whether the guest has enabled them or not.
    var memoryWindows: [PCIMemoryWindow] { get }
    /// Whether the guest lets the function answer to memory accesses (command register, bit 1).
    var decodesMemory: Bool { get }
    /// Sets a base address register, as firmware would before the guest starts.
    func assignAddress(_ address: UInt64, bar: Int)
    /// Tells where the function's memory is now: nil while it is nowhere, because decoding is off or the address
    /// unusable.
    func windowMoved(bar: Int, to address: UInt64?)

    /// Reads from the memory behind a base address register.
    /// - Parameter count: 1 to 8 bytes, from `offset` within the window.
    func readMemory(bar: Int, offset: UInt64, count: Int) -> UInt64
    func writeMemory(_ value: UInt64, bar: Int, offset: UInt64, count: Int)

    /// Returns to the state after power-on, except for the addresses that ``assignAddress(_:bar:)`` set.
    func reset()
}

/// What a write to configuration space means for the bus.
public enum PCIConfigurationEffect: Sendable {
    case none
    /// The function may answer at other addresses than before.
    case decodingChanged
}

/// A range of memory that a base address register asks for.
public struct PCIMemoryWindow: Equatable, Sendable {
    /// The number of the base address register, 0 to 5.
    public var bar: Int
    public var address: UInt64
    /// In bytes; a power of two.
    public var size: UInt64

    public init(bar: Int, address: UInt64, size: UInt64) {
        self.bar = bar
        self.address = address
        self.size = size
    }
}
