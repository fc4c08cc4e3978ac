/// Where a driver put the three rings of a split queue, guest-physical (Virtio 1.2, section 2.7).
public struct QueueLayout: Equatable, Sendable {
    /// The number of entries: a power of two.
    public var size: UInt16
    public var descriptorTable: UInt64
    public var availableRing: UInt64
    public var usedRing: UInt64

    public init(size: UInt16, descriptorTable: UInt64, availableRing: UInt64, usedRing: UInt64) {
        self.size = size
        self.descriptorTable = descriptorTable
        self.availableRing = availableRing
        self.usedRing = usedRing
    }

    /// The largest size that the format allows.
    public static let sizeLimit: UInt16 = 1 << 15
    // In bytes. Both rings end with the index of the event suppression (section 2.7.10).
    var descriptorByteCount: Int { 16 * Int(size) }
    var availableByteCount: Int { 6 + 2 * Int(size) }
    var usedByteCount: Int { 6 + 8 * Int(size) }

    var isAligned: Bool { descriptorTable % 16 == 0 && availableRing % 2 == 0 && usedRing % 4 == 0 }
    var hasValidSize: Bool { size > 0 && size <= Self.sizeLimit && size & (size - 1) == 0 }
}
