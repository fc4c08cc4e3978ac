import CLinux

extension GuestMemory {
    /// Gives the host back the whole pages inside a range that the guest does not use; they read as zero afterwards.
    ///
    /// For anonymous, private memory. Over a private mapping of a snapshot it would bring the snapshot's bytes back.
    /// - Returns: How many bytes were given back: 0 if the range holds no whole page.
    /// - Throws: ``GuestMemoryError/outOfRange(address:count:)``.
    @discardableResult
    public func discard(at address: UInt64, count: Int) throws(GuestMemoryError) -> Int {
        let start = try unsafe hostBytes(at: address, count: count)
        return unsafe discard(start, count: count)
    }

    /// As ``discard(at:count:)``, for a pointer that this guest memory gave out for at least `count` bytes.
    @discardableResult
    public func discard(_ start: UnsafeMutableRawPointer, count: Int) -> Int {
        let offset = unsafe start - base
        guard offset >= 0, count >= 0, UInt64(offset) <= byteCount, UInt64(count) <= byteCount - UInt64(offset) else {
            return 0
        }
        // Host and guest addresses agree modulo the page size, because both regions begin at a page of the mapping.
        let head = (0 &- offset) & (Self.pageSize - 1)
        guard count > head else { return 0 }
        let whole = (count - head) & ~(Self.pageSize - 1)
        guard whole > 0 else { return 0 }
        // SAFETY: within the mapping, as just checked. A failure leaves the pages as they are, which is correct too.
        return unsafe madvise(start + head, whole, MADV_DONTNEED) == 0 ? whole : 0
    }
}
