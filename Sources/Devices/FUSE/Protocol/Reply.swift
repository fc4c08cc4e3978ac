import SystemPackage

/// A reply under construction: the header (linux/fuse.h, `struct fuse_out_header`), then what the request asked for.
@safe struct Reply {
    static let headerByteCount = 16

    private let storage: UnsafeMutableRawBufferPointer
    /// With the header.
    private(set) var byteCount = Reply.headerByteCount
    /// Requests of some kinds are not answered.
    var isWanted = true

    /// - Parameters:
    ///   - storage: At least a header long.
    ///   - limit: The most bytes that the guest takes.
    init(_ storage: UnsafeMutableRawBufferPointer, limit: Int) {
        let count = min(storage.count, max(limit, Self.headerByteCount))
        unsafe self.storage = UnsafeMutableRawBufferPointer(rebasing: storage[..<count])
    }

    /// How many more bytes fit.
    var room: Int { unsafe max(storage.count - byteCount, 0) }

    /// To be asked before anything is done of which the guest must learn.
    /// - Throws: `EINVAL` if there is no room for `count` more bytes.
    func require(_ count: Int) throws(Errno) {
        guard count <= room else { throw .invalidArgument }
    }

    /// Adds a value; one that does not fit is lost.
    mutating func append<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        guard MemoryLayout<T>.size <= room else { return }
        unsafe storage.storeBytes(of: value, toByteOffset: byteCount, as: T.self)
        byteCount += MemoryLayout<T>.size
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= room else { return }
        unsafe UnsafeMutableRawBufferPointer(rebasing: storage[byteCount...]).copyMemory(from: bytes)
        byteCount += bytes.count
    }

    mutating func appendZeroes(_ count: Int) {
        let count = min(max(count, 0), room)
        unsafe UnsafeMutableRawBufferPointer(rebasing: storage[byteCount..<byteCount + count])
            .initializeMemory(as: UInt8.self, repeating: 0)
        byteCount += count
    }

    /// Lets `body` fill at most `limit` bytes; it returns how many it did.
    mutating func fill(
        _ limit: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    ) throws(Errno) {
        let count = max(0, min(limit, room))
        let space = unsafe UnsafeMutableRawBufferPointer(rebasing: storage[byteCount..<byteCount + count])
        byteCount += min(max(try unsafe body(space), 0), count)
    }

    /// Takes back everything behind the first `count` bytes.
    mutating func shorten(to count: Int) { byteCount = min(byteCount, max(count, Self.headerByteCount)) }

    /// Writes the header of a reply whose payload is elsewhere or nothing.
    /// - Returns: The bytes to hand over.
    mutating func finish(unique: UInt64, length: Int, error: Errno? = nil) -> UnsafeRawBufferPointer {
        unsafe storage.storeBytes(of: UInt32(clamping: length), as: UInt32.self)
        unsafe storage.storeBytes(of: -(error?.rawValue ?? 0), toByteOffset: 4, as: Int32.self)
        unsafe storage.storeBytes(of: unique, toByteOffset: 8, as: UInt64.self)
        return unsafe UnsafeRawBufferPointer(rebasing: storage[..<min(length, byteCount)])
    }
}
