/// A disk whose unused file system blocks read as zeroes, and whose other blocks are unchanged.
public final class DiskWithoutFreeSpace: BlockStorage {
    private let disk: any BlockStorage
    private let free: [Range<UInt64>]

    /// - Parameter disk: Nobody writes to it any longer.
    public init(_ disk: any BlockStorage) throws(DiskImageError) {
        self.disk = disk
        free = try FreeSpace(of: disk).ranges
    }

    public var virtualSize: UInt64 { disk.virtualSize }
    public var isReadOnly: Bool { true }
    public var preferredAlignment: Int { disk.preferredAlignment }

    public func read(into segments: BlockSegments, at offset: UInt64) throws(DiskImageError) {
        try unsafe disk.read(into: segments, at: offset)
        guard let count = unsafe SegmentCursor.byteCount(segments), count > 0 else { return }
        let end = offset + count
        var index = firstRange(endingBehind: offset)
        var cursor = unsafe SegmentCursor(segments)
        var position = offset
        while index < free.count, free[index].lowerBound < end {
            let range = free[index].clamped(to: offset..<end)
            cursor.advance(Int(range.lowerBound - position))
            cursor.zero(Int(range.upperBound - range.lowerBound))
            position = range.upperBound
            index += 1
        }
    }

    public func extent(at offset: UInt64) throws(DiskImageError) -> BlockExtent {
        let index = firstRange(endingBehind: offset)
        guard index < free.count else { return try disk.extent(at: offset) }
        let range = free[index]
        if range.contains(offset) {
            return BlockExtent(offset: offset, count: range.upperBound - offset, kind: .zero, depth: 0)
        }
        var extent = try disk.extent(at: offset)
        extent.count = min(extent.count, range.lowerBound - offset)
        return extent
    }

    /// The first range that does not lie wholly in front of `offset`.
    private func firstRange(endingBehind offset: UInt64) -> Int {
        var (low, high) = (0, free.count)
        while low < high {
            let middle = (low + high) / 2
            if free[middle].upperBound <= offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    public func write(from segments: BlockSegments, at offset: UInt64) throws(DiskImageError) { throw .readOnly }
    public func flush() throws(DiskImageError) {}
    public func discard(at offset: UInt64, count: UInt64) throws(DiskImageError) { throw .readOnly }
    public func writeZeroes(at offset: UInt64, count: UInt64, mayUnmap: Bool) throws(DiskImageError) {
        throw .readOnly
    }
    public func resize(to size: UInt64) throws(DiskImageError) { throw .readOnly }
    public func close() throws(DiskImageError) { try disk.close() }
}
