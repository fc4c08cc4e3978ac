/// A disk as a device sees it: a fixed number of bytes that are read and written at byte offsets.
///
/// Every method may be called by several threads at once; two requests that overlap in place and time happen in either
/// order, sector by sector, as on a real disk. No method allocates memory unless it fails. Offsets and counts are in
/// bytes and need no alignment; a range that is not inside ``virtualSize`` throws
/// ``DiskImageError/outOfRange(offset:count:size:)`` before anything happens.
public protocol BlockStorage: AnyObject, Sendable {
    /// In bytes. It changes only by ``resize(to:)``, never while a device is using the disk.
    var virtualSize: UInt64 { get }
    var isReadOnly: Bool { get }
    /// The size and alignment, in bytes, of a write that costs no copying: a cluster's size, or a page's for a raw
    /// file.
    var preferredAlignment: Int { get }

    /// Fills `segments`, in order, with the disk's bytes from `offset` on.
    func read(into segments: BlockSegments, at offset: UInt64) throws(DiskImageError)

    /// Stores the bytes of `segments`, in order, from `offset` on. They survive a crash of the host after the next
    /// ``flush()`` that begins after this call returned.
    func write(from segments: BlockSegments, at offset: UInt64) throws(DiskImageError)

    /// Returns when everything that was written before is on the disk.
    func flush() throws(DiskImageError)

    /// Tells that the range's content is no longer needed. It reads as zeroes or as before, and gives space back.
    func discard(at offset: UInt64, count: UInt64) throws(DiskImageError)

    /// Makes the range read as zeroes.
    /// - Parameter mayUnmap: Whether the range's space may be given back to the host's file system.
    func writeZeroes(at offset: UInt64, count: UInt64, mayUnmap: Bool) throws(DiskImageError)

    /// The longest run of one kind, within limits of the implementation, that starts at `offset`.
    /// - Returns: An extent of at least one byte that starts at `offset`.
    func extent(at offset: UInt64) throws(DiskImageError) -> BlockExtent

    /// Makes the disk larger; new bytes read as zeroes. No other request may be under way.
    func resize(to size: UInt64) throws(DiskImageError)

    /// Flushes, leaves the image in its tidiest state and releases its files. Every later request throws
    /// ``DiskImageError/closed``; closing again does nothing.
    func close() throws(DiskImageError)
}

/// A list of buffers, in the order in which they hold the bytes of one request.
public typealias BlockSegments = UnsafeBufferPointer<BlockSegment>

/// One buffer of a request. Laid out as C's `struct iovec`.
@safe public struct BlockSegment: @unchecked Sendable {
    // Unchecked: whoever makes a segment answers for its memory until the request returns.
    public var base: UnsafeMutableRawPointer
    /// In bytes.
    public var count: Int

    public init(base: UnsafeMutableRawPointer, count: Int) {
        unsafe self.base = base
        self.count = count
    }
}

/// A run of bytes of one kind.
public struct BlockExtent: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Stored somewhere in the chain of images.
        case data
        /// Stored compressed.
        case compressed
        /// Reads as zeroes without being stored.
        case zero
    }

    /// In bytes, as are all offsets and counts.
    public var offset: UInt64
    public var count: UInt64
    public var kind: Kind
    /// The image of the chain that decides what this run is: 0 is the top one; nil if none does.
    public var depth: Int?
    /// Where the bytes are in that image's file, if it holds them unchanged.
    public var fileOffset: UInt64?

    public init(offset: UInt64, count: UInt64, kind: Kind, depth: Int? = nil, fileOffset: UInt64? = nil) {
        self.offset = offset
        self.count = count
        self.kind = kind
        self.depth = depth
        self.fileOffset = fileOffset
    }
}

extension BlockStorage {
    /// Fills one buffer with the disk's bytes from `offset` on.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskImageError) {
        guard let base = buffer.baseAddress, buffer.count > 0 else { return try checkRange(offset, count: 0) }
        var segment = unsafe BlockSegment(base: base, count: buffer.count)
        try unsafe withUnsafePointer(to: &segment) { pointer throws(DiskImageError) in
            try unsafe read(into: BlockSegments(start: pointer, count: 1), at: offset)
        }
    }

    /// Stores one buffer's bytes from `offset` on.
    public func write(from buffer: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskImageError) {
        guard let base = buffer.baseAddress, buffer.count > 0 else { return try checkRange(offset, count: 0) }
        // SAFETY: a write only reads its segments; the type is shared with reads, as `struct iovec` is.
        var segment = unsafe BlockSegment(base: UnsafeMutableRawPointer(mutating: base), count: buffer.count)
        try unsafe withUnsafePointer(to: &segment) { pointer throws(DiskImageError) in
            try unsafe write(from: BlockSegments(start: pointer, count: 1), at: offset)
        }
    }

    /// The bytes in a new array. For tools and tests; devices read into memory of their own.
    public func read(count: Int, at offset: UInt64) throws(DiskImageError) -> [UInt8] {
        try checkRange(offset, count: UInt64(max(0, count)))
        var bytes = [UInt8](repeating: 0, count: max(0, count))
        try unsafe bytes.withUnsafeMutableBufferPointer { buffer throws(DiskImageError) in
            try unsafe read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
        return bytes
    }

    /// Stores an array's bytes. For tools and tests.
    public func write(_ bytes: [UInt8], at offset: UInt64) throws(DiskImageError) {
        try unsafe bytes.withUnsafeBufferPointer { buffer throws(DiskImageError) in
            try unsafe write(from: UnsafeRawBufferPointer(buffer), at: offset)
        }
    }

    /// Throws unless `count` bytes at `offset` lie inside the disk.
    func checkRange(_ offset: UInt64, count: UInt64) throws(DiskImageError) {
        let size = virtualSize
        guard offset <= size, count <= size - offset else {
            throw .outOfRange(offset: offset, count: count, size: size)
        }
    }
}
