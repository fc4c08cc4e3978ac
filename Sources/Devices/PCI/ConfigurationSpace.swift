/// The configuration registers of a type 0 function (PCI Local Bus 3.0, chapter 6): bytes, and which bits a guest may
/// write.
///
/// Base address registers need no code of their own: the bits below their size are read-only zeros, so a driver that
/// writes all ones reads back the size.
public struct ConfigurationSpace: Sendable {
    /// Offsets of registers, in bytes.
    public enum Register {
        public static let command = 0x04
        public static let status = 0x06
        public static let firstBAR = 0x10
        public static let capabilityPointer = 0x34
    }
    static let memoryDecode: UInt8 = 1 << 1
    static let capabilityList: UInt8 = 1 << 4
    /// The first byte behind the header.
    static let headerEnd = 0x40

    private var bytes = [UInt8](repeating: 0, count: 256)
    private var writable = [UInt8](repeating: 0, count: 256)
    private var sizes: [Int: UInt64] = [:]
    private var capabilityEnd = Self.headerEnd
    private var lastCapabilityLink = Register.capabilityPointer

    /// - Parameter classCode: Base class, subclass and programming interface: 0x06_00_00 is a host bridge.
    public init(
        vendor: UInt16, device: UInt16, revision: UInt8, classCode: UInt32, subsystemVendor: UInt16, subsystem: UInt16
    ) {
        set(UInt32(vendor) | UInt32(device) << 16, at: 0x00)
        set(UInt32(revision) | classCode << 8, at: 0x08)
        set(UInt32(subsystemVendor) | UInt32(subsystem) << 16, at: 0x2c)
        // I/O decoding, memory decoding, bus master; interrupt disable.
        writable[Register.command] = 0x07
        writable[Register.command + 1] = 0x04
        writable[0x0c] = 0xff  // Cache line size: a scratch register.
        writable[0x3c] = 0xff  // Interrupt line: firmware's note to the operating system.
    }

    /// Adds a memory base address register. It has 32 bits: firmware would put one of 64 bits where it likes, beyond
    /// the windows that the guest is told of.
    /// - Parameters:
    ///   - index: 0 to 5.
    ///   - size: A power of two of at least 16 bytes.
    public mutating func addMemoryBAR(_ index: Int, size: UInt64) {
        sizes[index] = size
        let offset = Register.firstBAR + 4 * index
        let mask = ~(size - 1)
        for byte in 0..<4 { writable[offset + byte] = UInt8(truncatingIfNeeded: mask >> (8 * UInt64(byte))) }
        writable[offset] &= 0xf0
    }

    /// Appends a capability.
    /// - Parameters:
    ///   - body: What follows the two bytes of identifier and link.
    ///   - writable: Bits of `body` that a guest may change; missing bytes are read-only.
    /// - Returns: The capability's offset, or nil if the 256 bytes are full.
    public mutating func addCapability(identifier: UInt8, body: [UInt8], writable mask: [UInt8] = []) -> Int? {
        let offset = capabilityEnd
        guard offset + 2 + body.count <= bytes.count else { return nil }
        bytes[offset] = identifier
        bytes[offset + 1] = 0
        for (index, byte) in body.enumerated() {
            bytes[offset + 2 + index] = byte
            writable[offset + 2 + index] = index < mask.count ? mask[index] : 0
        }
        bytes[lastCapabilityLink] = UInt8(offset)
        bytes[Register.status] |= Self.capabilityList
        lastCapabilityLink = offset + 1
        capabilityEnd = (offset + 2 + body.count + 3) & ~3
        return offset
    }

    /// Reads 1, 2 or 4 bytes; 0 past byte 255 and for other counts.
    public func read(at offset: Int, count: Int) -> UInt32 {
        guard Self.isAccess(offset, count) else { return 0 }
        return (0..<count).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }

    /// Writes the writable bits of 1, 2 or 4 bytes.
    public mutating func write(_ value: UInt32, at offset: Int, count: Int) -> PCIConfigurationEffect {
        guard Self.isAccess(offset, count) else { return .none }
        for index in 0..<count {
            let mask = writable[offset + index]
            let byte = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
            bytes[offset + index] = bytes[offset + index] & ~mask | byte & mask
        }
        let end = offset + count
        let touchesBAR = offset < 0x28 && end > Register.firstBAR
        return touchesBAR || (offset <= Register.command && end > Register.command) ? .decodingChanged : .none
    }

    /// Sets bytes whether or not a guest may write them.
    public mutating func set(_ value: UInt32, at offset: Int) {
        guard Self.isAccess(offset, 4) else { return }
        for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
    }

    public var decodesMemory: Bool { bytes[Register.command] & Self.memoryDecode != 0 }

    /// What the base address registers hold, in their order.
    public var memoryWindows: [PCIMemoryWindow] {
        sizes.sorted { $0.key < $1.key }.map { index, size in
            let offset = Register.firstBAR + 4 * index
            return PCIMemoryWindow(bar: index, address: UInt64(read(at: offset, count: 4) & ~0xf), size: size)
        }
    }

    public mutating func assignAddress(_ address: UInt64, bar index: Int) {
        guard let size = sizes[index] else { return }
        set(UInt32(truncatingIfNeeded: address & ~(size - 1)) & ~0xf, at: Register.firstBAR + 4 * index)
    }

    private static func isAccess(_ offset: Int, _ count: Int) -> Bool {
        offset >= 0 && [1, 2, 4].contains(count) && offset <= 256 - count
    }
}
