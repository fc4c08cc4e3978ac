/// One contiguous range of guest RAM, as a hypervisor's memory slot needs it.
@safe public struct GuestRegion: @unchecked Sendable {
    // Unchecked: an address range; GuestMemory says who may touch it, and how.
    /// Guest-physical, in bytes.
    public let guestAddress: UInt64
    /// In bytes; a multiple of the page size.
    public let byteCount: UInt64
    /// Where the range begins in this process.
    public let hostAddress: UnsafeMutableRawPointer

    /// The guest-physical address after the last byte.
    public var guestEnd: UInt64 { guestAddress &+ byteCount }
}
