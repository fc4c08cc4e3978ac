import Glibc

/// A position in a list of buffers. Moves forward over the bytes of a request, whatever their division into buffers.
@safe struct SegmentCursor {
    private let segments: BlockSegments
    private var index = 0
    /// Bytes of the current segment that lie behind the position.
    private var consumed = 0

    init(_ segments: BlockSegments) { unsafe self.segments = segments }

    /// The number of bytes in all segments; nil if that is no number at all.
    static func byteCount(_ segments: BlockSegments) -> UInt64? {
        var total: UInt64 = 0
        for index in 0..<segments.count {
            guard let count = UInt64(exactly: unsafe segments[index].count) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(count)
            if overflow { return nil }
            total = sum
        }
        return total
    }

    /// The next bytes that lie in one piece, at most `limit` of them; empty at the end.
    private mutating func next(limit: Int) -> UnsafeMutableRawBufferPointer {
        while unsafe index < segments.count, unsafe segments[index].count <= consumed {
            index += 1
            consumed = 0
        }
        guard unsafe index < segments.count else { return unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        let segment = unsafe segments[index]
        let count = min(limit, segment.count - consumed)
        return unsafe UnsafeMutableRawBufferPointer(start: segment.base + consumed, count: count)
    }

    /// Moves over `count` bytes.
    mutating func advance(_ count: Int) {
        var rest = count
        while rest > 0, unsafe index < segments.count {
            let step = min(rest, unsafe segments[index].count - consumed)
            consumed += step
            rest -= step
            if unsafe consumed >= segments[index].count {
                index += 1
                consumed = 0
            }
        }
    }

    /// The next bytes, at most `limit`, as the segments themselves: those that are whole, at most 1024 (`IOV_MAX`).
    /// - Returns: nil where there are none, or where no more than `enough` of them do not make up the limit.
    func whole(limit: Int, enough: Int) -> BlockSegments? {
        guard consumed == 0 else { return nil }
        var end = index
        var bytes = 0
        while unsafe end < segments.count, end - index < 1024, unsafe segments[end].count <= limit - bytes {
            bytes += unsafe segments[end].count
            end += 1
        }
        guard bytes > 0, bytes == limit || end - index > enough else { return nil }
        return unsafe BlockSegments(rebasing: segments[index..<end])
    }

    /// Describes the next bytes, at most `limit`, to the kernel. Does not move.
    /// - Returns: How many elements of `vector` are set, and how many bytes they have.
    func describe(limit: Int, in vector: UnsafeMutableBufferPointer<BlockSegment>) -> (elements: Int, bytes: Int) {
        var cursor = self
        var elements = 0
        var bytes = 0
        while bytes < limit, elements < vector.count {
            let piece = unsafe cursor.next(limit: limit - bytes)
            if piece.count == 0 { break }
            guard let base = piece.baseAddress else { break }
            unsafe vector[elements] = unsafe BlockSegment(base: base, count: piece.count)
            cursor.consumed += piece.count
            elements += 1
            bytes += piece.count
        }
        return (elements, bytes)
    }

    /// Hands the next `count` bytes to `body` as lists of segments and moves over them.
    /// - Parameter body: Gets some segments and how many bytes of the `count` came before them.
    mutating func forEachList(
        count: Int, _ body: (BlockSegments, Int) throws(DiskImageError) -> Void
    ) throws(DiskImageError) {
        var done = 0
        while done < count {
            let cursor = self
            let bytes = try unsafe withUnsafeTemporaryAllocation(of: BlockSegment.self, capacity: 64) {
                vector throws(DiskImageError) in
                let (elements, bytes) = unsafe cursor.describe(limit: count - done, in: vector)
                guard bytes > 0 else { return 0 }
                try unsafe body(BlockSegments(rebasing: vector[..<elements]), done)
                return bytes
            }
            if bytes == 0 { return }
            advance(bytes)
            done += bytes
        }
    }

    /// Copies the next bytes of the segments into `buffer` and moves over them.
    mutating func copy(to buffer: UnsafeMutableRawBufferPointer) {
        var done = 0
        while done < buffer.count {
            let piece = unsafe next(limit: buffer.count - done)
            guard let source = piece.baseAddress, let target = buffer.baseAddress else { return }
            unsafe memcpy(target + done, source, piece.count)
            consumed += piece.count
            done += piece.count
        }
    }

    /// Copies `buffer` over the next bytes of the segments and moves over them.
    mutating func copy(from buffer: UnsafeRawBufferPointer) {
        var done = 0
        while done < buffer.count {
            let piece = unsafe next(limit: buffer.count - done)
            guard let target = piece.baseAddress, let source = buffer.baseAddress else { return }
            unsafe memcpy(target, source + done, piece.count)
            consumed += piece.count
            done += piece.count
        }
    }

    /// Sets the next `count` bytes of the segments to zero and moves over them.
    mutating func zero(_ count: Int) {
        var rest = count
        while rest > 0 {
            let piece = unsafe next(limit: rest)
            guard let target = piece.baseAddress else { return }
            unsafe memset(target, 0, piece.count)
            consumed += piece.count
            rest -= piece.count
        }
    }
}
