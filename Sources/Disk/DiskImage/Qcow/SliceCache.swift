import Glibc
import LinuxSystem

/// Keeps pieces of L2 tables in memory, in a bounded number of slots that are allocated once.
///
/// A slice is 4 KiB of an L2 table (512 entries), or the whole table where that is smaller; it has the number of its
/// first cluster divided by its number of entries. Entries stay in the file's byte order. A dirty slice stays until it
/// is written back. Not thread-safe: its image's lock guards it.
@safe final class SliceCache: @unchecked Sendable {
    // Unchecked: used under the lock of the image that owns it.
    private static let ways = 8

    let sliceBytes: Int
    let entriesPerSlice: UInt64
    private let setMask: Int
    private let slotCount: Int
    private let memory: MemoryMapping
    /// Slice number + 1 of each slot; 0 for an empty one.
    private var tags: [UInt64]
    private var lastUses: [UInt32]
    private var dirty: [Bool]
    private var clock: UInt32 = 0
    private(set) var dirtyCount = 0

    /// - Parameter capacity: Slots are made for this many bytes at most; memory is only used as slots are filled.
    init(geometry: ClusterGeometry, diskSize: UInt64, capacity: Int) throws(DiskImageError) {
        sliceBytes = min(4096, Int(geometry.clusterSize))
        entriesPerSlice = UInt64(sliceBytes / 8)
        let needed = geometry.clusterCount(diskSize) / entriesPerSlice + 1
        let wanted = min(needed, UInt64(max(capacity / sliceBytes, 4 * Self.ways)))
        var sets = 1
        while UInt64(sets * Self.ways) < wanted { sets *= 2 }
        setMask = sets - 1
        slotCount = sets * Self.ways
        do {
            memory = try MemoryMapping.anonymous(count: slotCount * sliceBytes)
        } catch { throw .system(error) }
        tags = [UInt64](repeating: 0, count: slotCount)
        lastUses = [UInt32](repeating: 0, count: slotCount)
        dirty = [Bool](repeating: false, count: slotCount)
    }

    private func slots(of slice: UInt64) -> Range<Int> {
        let first = (Int(truncatingIfNeeded: slice) & setMask) * Self.ways
        return first..<(first + Self.ways)
    }

    /// The slot that holds `slice`; nil if none does.
    func find(_ slice: UInt64) -> Int? {
        for slot in slots(of: slice) where tags[slot] == slice + 1 {
            clock &+= 1
            lastUses[slot] = clock
            return slot
        }
        return nil
    }

    /// Takes the slot that was not used for the longest time for `slice`. Its content is whatever was there.
    /// - Returns: nil if all slots that could hold it are dirty.
    func replace(for slice: UInt64) -> Int? {
        var victim: Int?
        for slot in slots(of: slice) where !dirty[slot] {
            if tags[slot] == 0 {
                victim = slot
                break
            }
            // Wrapping distance, so that the clock may run over.
            if victim == nil || clock &- lastUses[slot] > clock &- lastUses[victim ?? slot] { victim = slot }
        }
        guard let victim else { return nil }
        clock &+= 1
        tags[victim] = slice + 1
        lastUses[victim] = clock
        return victim
    }

    /// Forgets a slot whose content could not be loaded.
    func discard(_ slot: Int) { tags[slot] = 0 }

    func bytes(of slot: Int) -> UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[(slot * sliceBytes)..<((slot + 1) * sliceBytes)])
    }

    func entry(_ index: Int, in slot: Int) -> UInt64 {
        UInt64(
            bigEndian: unsafe memory.bytes.loadUnaligned(fromByteOffset: slot * sliceBytes + index * 8, as: UInt64.self)
        )
    }

    func setEntry(_ index: Int, in slot: Int, to raw: UInt64) {
        unsafe memory.bytes.storeBytes(of: raw.bigEndian, toByteOffset: slot * sliceBytes + index * 8, as: UInt64.self)
        if !dirty[slot] {
            dirty[slot] = true
            dirtyCount += 1
        }
    }

    /// The first dirty slot at or behind `slot`, and the slice in it.
    func nextDirty(from slot: Int) -> (slot: Int, slice: UInt64)? {
        var slot = slot
        while slot < slotCount {
            if dirty[slot] { return (slot, tags[slot] - 1) }
            slot += 1
        }
        return nil
    }

    func markAllClean() {
        guard dirtyCount > 0 else { return }
        for slot in 0..<slotCount { dirty[slot] = false }
        dirtyCount = 0
    }

    /// Forgets everything that was loaded, for a table that changed its place.
    func removeAll() {
        for slot in 0..<slotCount {
            tags[slot] = 0
            dirty[slot] = false
        }
        dirtyCount = 0
    }
}
