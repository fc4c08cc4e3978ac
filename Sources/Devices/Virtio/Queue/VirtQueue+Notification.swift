import Synchronization

// Who wakes whom, and when not to (Virtio 1.2, sections 2.7.7 and 2.7.10).

extension VirtQueue {
    /// Asks the driver to notify the device of the next chain, after the available ones have been used up.
    /// - Returns: Whether chains arrived meanwhile, for which no notification may come: then continue serving.
    public mutating func enableNotifications() -> Bool {
        // Not `nextAvailable`: chains that are too few for a frame stay available, and are no news.
        let seen = availableIndex
        if usesEventIndex {
            let offset = 4 + 8 * Int(size)
            // SAFETY: the used ring ends with this index.
            unsafe store16(seen, to: used + offset, .relaxed)
            // The driver writes its index, then reads this one; we write this one, then read its index.
            atomicMemoryFence(ordering: .sequentiallyConsistent)
        }
        availableIndex = loadAvailableIndex()
        return availableIndex != seen
    }

    /// Whether the driver wants an interrupt for what was published since the last time it was asked.
    public mutating func needsInterrupt() -> Bool {
        let (old, new) = (consideredUsed, publishedUsed)
        guard old != new else { return false }
        consideredUsed = new
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if usesEventIndex {
            let offset = 4 + 2 * Int(size)
            // SAFETY: the available ring ends with this index.
            let event = unsafe load16(available + offset, .relaxed)
            return new &- event &- 1 < new &- old
        }
        // SAFETY: the available ring begins with its flags; bit 0 is VIRTQ_AVAIL_F_NO_INTERRUPT.
        return unsafe load16(available, .relaxed) & 1 == 0
    }

    @inline(__always)
    func loadAvailableIndex() -> UInt16 {
        // SAFETY: behind the flags. Acquire: the ring and the descriptors are read after the index.
        unsafe load16(available + 2, .acquiring)
    }

    enum LoadOrder { case relaxed, acquiring }
    enum StoreOrder { case relaxed, releasing }

    @inline(__always)
    func load16(_ pointer: UnsafeRawPointer, _ order: LoadOrder) -> UInt16 {
        // SAFETY: callers pass an even address inside a ring; Atomic<UInt16> has the layout of UInt16.
        let atomic = unsafe pointer.assumingMemoryBound(to: Atomic<UInt16>.self)
        switch order {
        case .relaxed: return unsafe UInt16(littleEndian: atomic.pointee.load(ordering: .relaxed))
        case .acquiring: return unsafe UInt16(littleEndian: atomic.pointee.load(ordering: .acquiring))
        }
    }

    @inline(__always)
    func store16(_ value: UInt16, to pointer: UnsafeMutableRawPointer, _ order: StoreOrder) {
        // SAFETY: as above.
        let atomic = unsafe pointer.assumingMemoryBound(to: Atomic<UInt16>.self)
        switch order {
        case .relaxed: unsafe atomic.pointee.store(value.littleEndian, ordering: .relaxed)
        case .releasing: unsafe atomic.pointee.store(value.littleEndian, ordering: .releasing)
        }
    }
}
