/// A disk whose bytes are those of a file or block device.
final class RawImage: BlockStorage, @unchecked Sendable {
    // Unchecked: `size` changes only while no other request is under way, as `resize` demands; `closed` is set once,
    // and whoever misses that uses a descriptor that is still open.
    private let file: ImageFile
    private var size: UInt64
    private var closed = false

    init(_ file: ImageFile) throws(DiskImageError) {
        self.file = file
        size = try file.size()
    }

    var virtualSize: UInt64 { size }
    var isReadOnly: Bool { !file.isWritable }
    var preferredAlignment: Int { 4096 }

    private func check(_ offset: UInt64, _ count: UInt64, writing: Bool) throws(DiskImageError) {
        if closed { throw .closed }
        if writing, isReadOnly { throw .readOnly }
        try checkRange(offset, count: count)
    }

    private func byteCount(_ segments: BlockSegments, _ offset: UInt64, writing: Bool) throws(DiskImageError) -> Int {
        guard let total = unsafe SegmentCursor.byteCount(segments), let count = Int(exactly: total) else {
            throw .outOfRange(offset: offset, count: .max, size: size)
        }
        try check(offset, total, writing: writing)
        return count
    }

    func read(into segments: BlockSegments, at offset: UInt64) throws(DiskImageError) {
        let count = try unsafe byteCount(segments, offset, writing: false)
        var cursor = unsafe SegmentCursor(segments)
        try file.read(&cursor, count: count, at: offset)
    }

    func write(from segments: BlockSegments, at offset: UInt64) throws(DiskImageError) {
        let count = try unsafe byteCount(segments, offset, writing: true)
        var cursor = unsafe SegmentCursor(segments)
        try file.write(&cursor, count: count, at: offset)
    }

    func flush() throws(DiskImageError) {
        if closed { throw .closed }
        if !isReadOnly { try file.synchronize() }
    }

    func discard(at offset: UInt64, count: UInt64) throws(DiskImageError) {
        try writeZeroes(at: offset, count: count, mayUnmap: true)
    }

    func writeZeroes(at offset: UInt64, count: UInt64, mayUnmap: Bool) throws(DiskImageError) {
        try check(offset, count, writing: true)
        try file.zero(at: offset, count: count, mayUnmap: mayUnmap)
    }

    func extent(at offset: UInt64) throws(DiskImageError) -> BlockExtent {
        if closed { throw .closed }
        guard offset < size else { throw .outOfRange(offset: offset, count: 1, size: size) }
        let (isData, count) = try file.run(at: offset, limit: size - offset)
        return BlockExtent(
            offset: offset, count: count, kind: isData ? .data : .zero, depth: 0, fileOffset: isData ? offset : nil)
    }

    func resize(to newSize: UInt64) throws(DiskImageError) {
        try check(0, 0, writing: true)
        guard newSize >= size else { throw .cannotShrink(from: size, to: newSize) }
        try file.truncate(to: newSize)
        try file.synchronize()
        size = newSize
    }

    func close() throws(DiskImageError) {
        if closed { return }
        closed = true
        defer { file.unlock() }
        if !isReadOnly { try file.synchronize() }
    }
}
