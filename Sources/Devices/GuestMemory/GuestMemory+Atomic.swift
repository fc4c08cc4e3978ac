import Synchronization

extension GuestMemory {
    /// Reads a 16-bit little-endian integer that the guest may be changing; later accesses stay after it.
    /// - Parameter address: Guest-physical, even.
    public func loadAcquiring16(at address: UInt64) throws(GuestMemoryError) -> UInt16 {
        try unsafe UInt16(littleEndian: atomic16(at: address).pointee.load(ordering: .acquiring))
    }

    /// Writes a 16-bit little-endian integer; the guest sees every earlier write of this thread before it.
    /// - Parameter address: Guest-physical, even.
    public func storeReleasing16(_ value: UInt16, at address: UInt64) throws(GuestMemoryError) {
        try unsafe atomic16(at: address).pointee.store(value.littleEndian, ordering: .releasing)
    }

    private func atomic16(at address: UInt64) throws(GuestMemoryError) -> UnsafeMutablePointer<Atomic<UInt16>> {
        guard address % 2 == 0 else { throw .misaligned(address: address) }
        // SAFETY: Atomic<UInt16> has the layout of UInt16; in range and aligned, as just checked.
        return try unsafe hostBytes(at: address, count: 2).assumingMemoryBound(to: Atomic<UInt16>.self)
    }
}
