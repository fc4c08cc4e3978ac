import DiskImage
public import GuestMemory
import Synchronization

/// The device's end of a split virtqueue (Virtio 1.2, section 2.7): takes chains of buffers that the driver made
/// available and gives them back used.
///
/// The driver is an adversary that writes every ring while they are read. So each ring is checked once to be in RAM,
/// each index and descriptor is read once, and nothing in a chain is used before it was copied and checked. Nothing is
/// allocated per chain.
///
/// Owned by one thread at a time.
@safe public struct VirtQueue: ~Copyable, @unchecked Sendable {
    // Unchecked: not copyable, so the pointers have one user; they stay valid because `memory` is held.
    public let size: UInt16
    let memory: GuestMemory
    /// Whether VIRTIO_F_RING_EVENT_IDX was negotiated.
    let usesEventIndex: Bool
    let allowsIndirect: Bool
    let descriptors: UnsafeRawPointer
    let available: UnsafeRawPointer
    let used: UnsafeMutableRawPointer
    /// The buffers of the chain in hand.
    let segments: UnsafeMutablePointer<BlockSegment>

    /// The driver's index as last read, and ours; both count chains, modulo 2^16.
    var availableIndex: UInt16
    var nextAvailable: UInt16
    /// Chains recorded in the used ring; those before `publishedUsed` are visible to the driver.
    var nextUsed: UInt16
    var publishedUsed: UInt16
    /// `publishedUsed` when an interrupt was last considered.
    var consideredUsed: UInt16

    /// Checks the rings and keeps where they are in this process.
    /// - Parameter position: How many chains were taken and given back before, modulo 2^16, if something else served
    ///   the queue.
    public init(
        _ layout: QueueLayout, features: VirtioFeatures, memory: GuestMemory, position: UInt16 = 0
    ) throws(QueueError) {
        guard layout.hasValidSize, layout.isAligned,
            let descriptors = unsafe memory.hostPointer(at: layout.descriptorTable, count: layout.descriptorByteCount),
            let available = unsafe memory.hostPointer(at: layout.availableRing, count: layout.availableByteCount),
            let used = unsafe memory.hostPointer(at: layout.usedRing, count: layout.usedByteCount)
        else { throw .invalidRing }
        size = layout.size
        self.memory = memory
        usesEventIndex = features.contains(.ringEventIndex)
        allowsIndirect = features.contains(.ringIndirectDescriptors)
        unsafe self.descriptors = UnsafeRawPointer(descriptors)
        unsafe self.available = UnsafeRawPointer(available)
        unsafe self.used = used
        unsafe segments = .allocate(capacity: Int(layout.size))
        availableIndex = position
        nextAvailable = position
        nextUsed = position
        publishedUsed = position
        consideredUsed = position
    }

    /// Where somebody else can continue to serve the queue: how many chains were taken so far, modulo 2^16.
    public var position: UInt16 { nextAvailable }

    deinit { unsafe segments.deallocate() }

    /// The next chain that the driver made available; nil if there is none. It is valid until the next call.
    public mutating func nextChain() throws(QueueError) -> DescriptorChain? {
        if nextAvailable == availableIndex {
            availableIndex = loadAvailableIndex()
            if nextAvailable == availableIndex { return nil }
        }
        let waiting = availableIndex &- nextAvailable
        guard waiting <= size else { throw .tooManyAvailable(waiting) }
        let offset = 4 + 2 * Int(nextAvailable & (size &- 1))
        // SAFETY: the ring has `size` entries behind its four bytes of header.
        let head = unsafe load16(available + offset, .relaxed)
        nextAvailable &+= 1
        return try walk(from: head)
    }

    /// Takes back the chains of an unfinished frame: they are available again, and the driver never sees them as used.
    /// - Parameter count: How many were recorded since the last ``publish()``.
    mutating func unrecord(_ count: UInt16) {
        nextAvailable &-= count
        nextUsed = publishedUsed
    }

    /// Gives a chain back to the driver at once.
    /// - Parameter written: Bytes that the device wrote into its writable buffers, from the first on.
    public mutating func complete(_ chain: consuming DescriptorChain, written: Int) {
        record(chain, written: written)
        publish()
    }

    /// Gives a chain back, but hides it from the driver until ``publish()``: for frames in several chains.
    public mutating func record(_ chain: consuming DescriptorChain, written: Int) {
        let offset = 4 + 8 * Int(nextUsed & (size &- 1))
        // SAFETY: the ring has `size` elements of 8 bytes behind its four bytes of header, aligned to 4.
        unsafe (used + offset).storeBytes(of: UInt32(chain.head).littleEndian, as: UInt32.self)
        unsafe (used + offset + 4).storeBytes(of: UInt32(clamping: written).littleEndian, as: UInt32.self)
        nextUsed &+= 1
    }

    /// Shows the driver every chain recorded so far.
    public mutating func publish() {
        guard publishedUsed != nextUsed else { return }
        // Release: the elements, and the buffers' bytes, are visible before the index.
        unsafe store16(nextUsed, to: used + 2, .releasing)
        publishedUsed = nextUsed
    }
}

// MARK: - Walking a chain

extension VirtQueue {
    /// A copy of one descriptor.
    struct Descriptor {
        static let next: UInt16 = 1
        static let write: UInt16 = 2
        static let indirect: UInt16 = 4

        var address: UInt64
        var count: UInt32
        var flags: UInt16
        var link: UInt16
    }

    /// Copies one descriptor out of a table, by two loads that the optimiser may not repeat.
    @inline(__always)
    private func descriptor(_ index: Int, of table: UnsafeRawPointer) -> Descriptor {
        // SAFETY: callers check `index` against the table's length, and tables are aligned to 8 bytes at least.
        let words = unsafe (table + 16 * index).assumingMemoryBound(to: Atomic<UInt64>.self)
        let address = unsafe UInt64(littleEndian: words[0].load(ordering: .relaxed))
        let rest = unsafe UInt64(littleEndian: words[1].load(ordering: .relaxed))
        return Descriptor(
            address: address, count: UInt32(truncatingIfNeeded: rest), flags: UInt16(truncatingIfNeeded: rest >> 32),
            link: UInt16(truncatingIfNeeded: rest >> 48))
    }

    private func walk(from head: UInt16) throws(QueueError) -> DescriptorChain {
        guard head < size else { throw .descriptorOutOfRange(head) }
        var table = unsafe descriptors
        var tableCount = Int(size)
        var current = unsafe descriptor(Int(head), of: table)
        if current.flags & Descriptor.indirect != 0 {
            unsafe (table, tableCount) = try indirectTable(current)
            current = unsafe descriptor(0, of: table)
        }
        var chain = unsafe DescriptorChain(head: head, segments: segments)
        var seen = 0
        while true {
            seen += 1
            // Tables are never longer than the queue, so whoever sees more than that walks in a circle.
            guard seen <= tableCount else { throw .chainTooLong }
            guard current.flags & ~(Descriptor.next | Descriptor.write) == 0 else { throw .invalidFlags(current.flags) }
            try append(current, to: &chain)
            guard current.flags & Descriptor.next != 0 else { break }
            guard current.link < tableCount else { throw .descriptorOutOfRange(current.link) }
            current = unsafe descriptor(Int(current.link), of: table)
        }
        guard chain.readableByteCount <= UInt32.max, chain.writableByteCount <= UInt32.max else { throw .chainTooLarge }
        return chain
    }

    private func indirectTable(_ descriptor: Descriptor) throws(QueueError) -> (UnsafeRawPointer, Int) {
        guard allowsIndirect, descriptor.flags == Descriptor.indirect else { throw .invalidFlags(descriptor.flags) }
        let count = Int(descriptor.count)
        guard count > 0, count % 16 == 0, count / 16 <= Int(size), descriptor.address % 8 == 0,
            let table = unsafe memory.hostPointer(at: descriptor.address, count: count)
        else { throw .invalidIndirectTable(address: descriptor.address, count: descriptor.count) }
        return (UnsafeRawPointer(table), count / 16)
    }

    @inline(__always)
    private func append(_ descriptor: Descriptor, to chain: inout DescriptorChain) throws(QueueError) {
        let isWritable = descriptor.flags & Descriptor.write != 0
        guard isWritable || chain.writableCount == 0 else { throw .readableAfterWritable }
        let count = Int(descriptor.count)
        guard let pointer = unsafe memory.hostPointer(at: descriptor.address, count: count) else {
            throw .bufferOutsideMemory(address: descriptor.address, count: descriptor.count)
        }
        // SAFETY: at most `size` descriptors come here for one chain, the capacity of `segments`.
        let index = chain.readableCount + chain.writableCount
        unsafe (segments + index).initialize(to: BlockSegment(base: pointer, count: count))
        if isWritable {
            chain.writableCount += 1
            chain.writableByteCount += count
        } else {
            chain.readableCount += 1
            chain.readableByteCount += count
        }
    }
}
