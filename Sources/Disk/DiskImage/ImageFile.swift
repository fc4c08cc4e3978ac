import CLinux
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// The file of one image: positioned reads and writes that are whole or an error.
final class ImageFile: Sendable {
    let path: FilePath
    let isWritable: Bool
    private let descriptor: OwnedDescriptor
    private let observer: (any ImageFileObserver)?
    private let lost = Atomic<Bool>(false)
    /// Whether a full file system says so to write(2), before it has accepted anything.
    private let refusesWhenFull: Bool

    /// Opens and locks a file, so that a writer is always alone.
    /// - Parameter refusesWhenFull: nil looks at what kind of file system it is.
    init(
        _ path: FilePath, access: DiskAccess, observer: (any ImageFileObserver)? = nil, refusesWhenFull: Bool? = nil
    ) throws(DiskImageError) {
        descriptor = try Self.open(path, access)
        self.path = path
        isWritable = access == .readWrite
        self.observer = observer
        self.refusesWhenFull = refusesWhenFull ?? Self.refusesWhenFull(descriptor)
    }

    /// Whether bytes that were written before may be lost. After a failed fdatasync(2) the kernel forgets which pages
    /// were not written, whatever the error was: the next call would succeed and mean nothing.
    var mayHaveLostWrites: Bool { lost.load(ordering: .acquiring) }

    /// NFS and its like tell with any later write(2) that an earlier one, which they had accepted, found no room.
    private static func refusesWhenFull(_ descriptor: borrowing OwnedDescriptor) -> Bool {
        // `struct statfs` of x86-64: words of 8 bytes, of which the first is the type.
        var words = [UInt](repeating: 0, count: 15)
        let result = unsafe words.withUnsafeMutableBytes { buffer in
            linux_syscall(
                Int(SYS_fstatfs), UInt(descriptor.rawValue), UInt(bitPattern: buffer.baseAddress), 0, 0, 0)
        }
        guard result == 0 else { return false }
        // linux/magic.h: ext4, XFS, Btrfs, tmpfs, F2FS, bcachefs, ZFS, overlay; devices are files of a tmpfs.
        return [
            0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0xf2f5_2010, 0xca45_1a4e, 0x2fc1_2fc1, 0x794c_7630,
        ].contains(words[0] & 0xffff_ffff)
    }

    private static func open(_ path: FilePath, _ access: DiskAccess) throws(DiskImageError) -> OwnedDescriptor {
        do {
            // Non-blocking, so that a FIFO under this name is an error and not a wait.
            let descriptor = try OwnedDescriptor.open(
                path, access == .readWrite ? [.readWrite, .nonBlocking] : [.readOnly, .nonBlocking])
            let isRegular = try descriptor.status().kind == .regular
            guard isRegular || lseek(descriptor.rawValue, 0, SEEK_END) > 0 else { throw DiskImageError.notAFile(path) }
            guard ImageLock.tryLock(descriptor, access) else {
                throw DiskImageError.locked(path)
            }
            return descriptor
        } catch let error as SystemError {
            throw .system(SystemError(error.operation, path, error.errno))
        } catch let error as DiskImageError {
            throw error
        } catch {
            throw .notAFile(path)
        }
    }

    // Explicitly, because a child process that is just being started may hold a copy of the descriptor for an instant.
    deinit { ImageLock.unlock(descriptor) }

    /// Lets others open the file. The descriptor itself stays until the last request is gone.
    func unlock() { ImageLock.unlock(descriptor) }

    var identity: (device: UInt64, inode: UInt64)? {
        (try? descriptor.status()).map { ($0.device, $0.inode) }
    }

    /// Bytes of the host's disk that the file takes.
    var allocatedBytes: UInt64 { (try? descriptor.status()).flatMap { UInt64(exactly: $0.allocated) } ?? 0 }

    func size() throws(DiskImageError) -> UInt64 {
        let end = lseek(descriptor.rawValue, 0, SEEK_END)
        guard let size = UInt64(exactly: end) else { throw failure("find the size of") }
        return size
    }

    private func failure(_ operation: String, _ code: CInt = Glibc.errno) -> DiskImageError {
        .system(SystemError(operation, path, Errno(rawValue: code)))
    }

    private func position(_ offset: UInt64, _ operation: String) throws(DiskImageError) -> off_t {
        guard let position = off_t(exactly: offset) else { throw failure(operation, EFBIG) }
        return position
    }

    // MARK: Reading

    /// Fills `buffer`; what lies behind the end of the file reads as zeroes.
    /// - Returns: How many bytes the file had.
    @discardableResult
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskImageError) -> Int {
        var done = 0
        while done < buffer.count {
            guard let base = buffer.baseAddress else { break }
            let place = try position(offset &+ UInt64(done), "read")
            let count = unsafe pread(descriptor.rawValue, base + done, buffer.count - done, place)
            if count < 0 {
                let code = Glibc.errno
                if code == EINTR { continue }
                throw failure("read", code)
            }
            if count == 0 {
                unsafe memset(base + done, 0, buffer.count - done)
                break
            }
            done += count
        }
        return done
    }

    /// Fills the next `count` bytes of `cursor`; what lies behind the end of the file reads as zeroes.
    func read(_ cursor: inout SegmentCursor, count: Int, at offset: UInt64) throws(DiskImageError) {
        let moved = try transfer(&cursor, count: count, at: offset, .reading)
        if moved < count { cursor.zero(count - moved) }
    }

    /// A new array of `count` bytes; what lies behind the end of the file reads as zeroes.
    func read(count: Int, at offset: UInt64) throws(DiskImageError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try unsafe bytes.withUnsafeMutableBufferPointer { buffer throws(DiskImageError) in
            _ = try unsafe read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
        return bytes
    }

    private enum Direction: String {
        case reading = "read"
        case writing = "write"
    }

    /// How many buffers go to the kernel in one call: 1 KiB of them, which is what Swift puts on the stack.
    private static let vectorCapacity = 64

    /// Moves the next `count` bytes of `cursor` from or to the file.
    /// - Returns: How many there were before the file ended.
    private func transfer(
        _ cursor: inout SegmentCursor, count: Int, at offset: UInt64, _ direction: Direction
    ) throws(DiskImageError) -> Int {
        var done = 0
        while done < count {
            let place = try position(offset &+ UInt64(done), direction.rawValue)
            let rest = count - done
            let current = cursor
            let result: Int
            // A guest's request is hundreds of pages, usually as they are: one call moves it.
            if let whole = unsafe current.whole(limit: rest, enough: Self.vectorCapacity) {
                result = unsafe move(whole, at: place, direction)
            } else {
                result = unsafe withUnsafeTemporaryAllocation(of: BlockSegment.self, capacity: Self.vectorCapacity) {
                    vector in
                    let (elements, _) = unsafe current.describe(limit: rest, in: vector)
                    return unsafe move(BlockSegments(rebasing: vector[..<elements]), at: place, direction)
                }
            }
            if result == -Int(EINTR) { continue }
            guard result >= 0 else {
                if direction == .writing { noteFailedWrite() }
                throw failure(direction.rawValue, CInt(-result))
            }
            if result == 0 { break }
            cursor.advance(result)
            done += result
        }
        return done
    }

    /// - Returns: How many bytes moved, or the negative error.
    private func move(_ segments: BlockSegments, at place: off_t, _ direction: Direction) -> Int {
        // SAFETY: a segment is laid out as `struct iovec`, as a test shows.
        let list = unsafe UnsafeRawPointer(segments.baseAddress)?.assumingMemoryBound(to: iovec.self)
        let result =
            unsafe direction == .reading
            ? preadv(descriptor.rawValue, list, CInt(segments.count), place)
            : pwritev(descriptor.rawValue, list, CInt(segments.count), place)
        return result < 0 ? -Int(Glibc.errno) : result
    }

    // MARK: Writing

    private func noteFailedWrite() {
        if !refusesWhenFull { lost.store(true, ordering: .releasing) }
    }

    func write(_ buffer: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskImageError) {
        if let observer {
            try notify(observer, .write(offset: offset, bytes: unsafe Array(buffer)))
        }
        var done = 0
        while done < buffer.count {
            guard let base = buffer.baseAddress else { break }
            let place = try position(offset &+ UInt64(done), "write")
            let count = unsafe pwrite(descriptor.rawValue, base + done, buffer.count - done, place)
            if count < 0 {
                let code = Glibc.errno
                if code == EINTR { continue }
                noteFailedWrite()
                throw failure("write", code)
            }
            done += count
        }
    }

    func write(_ bytes: [UInt8], at offset: UInt64) throws(DiskImageError) {
        try unsafe bytes.withUnsafeBufferPointer { buffer throws(DiskImageError) in
            try unsafe write(UnsafeRawBufferPointer(buffer), at: offset)
        }
    }

    /// Writes the next `count` bytes of `cursor`.
    func write(_ cursor: inout SegmentCursor, count: Int, at offset: UInt64) throws(DiskImageError) {
        if let observer {
            var copy = cursor
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                unsafe copy.copy(to: UnsafeMutableRawBufferPointer(buffer))
                initialized = count
            }
            try notify(observer, .write(offset: offset, bytes: bytes))
        }
        guard try transfer(&cursor, count: count, at: offset, .writing) == count else { throw failure("write", EIO) }
    }

    /// Forces everything written so far to the disk.
    /// - Throws: `.failedBefore` if that failed before: see ``mayHaveLostWrites``.
    func synchronize() throws(DiskImageError) {
        if mayHaveLostWrites { throw .failedBefore }
        do throws(DiskImageError) {
            if let observer { try notify(observer, .synchronize) }
            while fdatasync(descriptor.rawValue) < 0 {
                let code = Glibc.errno
                if code != EINTR { throw failure("write to the disk", code) }
            }
        } catch {
            lost.store(true, ordering: .releasing)
            throw error
        }
    }

    func truncate(to size: UInt64) throws(DiskImageError) {
        if let observer { try notify(observer, .truncate(size: size)) }
        let place = try position(size, "resize")
        while ftruncate(descriptor.rawValue, place) < 0 {
            let code = Glibc.errno
            if code != EINTR { throw failure("resize", code) }
        }
    }

    // Not in any header that Swift imports. fallocate(2), linux/falloc.h: modes, always with KEEP_SIZE (1).
    private static let punchHole: CInt = 0x02 | 0x01
    private static let zeroRange: CInt = 0x10 | 0x01
    // lseek(2), linux/fs.h.
    private static let seekData: CInt = 3
    private static let seekHole: CInt = 4

    /// Makes a range inside the file read as zeroes, by giving its blocks back where that is wanted and possible.
    func zero(at offset: UInt64, count: UInt64, mayUnmap: Bool) throws(DiskImageError) {
        guard count > 0 else { return }
        if let observer { try notify(observer, .zero(offset: offset, count: count)) }
        let place = try position(offset, "clear part of")
        let length = try position(count, "clear part of")
        var result = retryingFallocate(mayUnmap ? Self.punchHole : Self.zeroRange, place, length)
        if result != 0, mayUnmap { result = retryingFallocate(Self.zeroRange, place, length) }
        switch result {
        case 0: return
        case -EOPNOTSUPP, -ENOSYS, -EINVAL: try writeZeroes(at: offset, count: count)
        default: throw failure("clear part of", -result)
        }
    }

    private func retryingFallocate(_ mode: CInt, _ offset: off_t, _ length: off_t) -> CInt {
        while true {
            let result = linux_fallocate(descriptor.rawValue, mode, Int64(offset), Int64(length))
            if result != -Int(EINTR) { return CInt(truncatingIfNeeded: result) }
        }
    }

    /// For file systems that cannot clear a range by themselves.
    private func writeZeroes(at offset: UInt64, count: UInt64) throws(DiskImageError) {
        var done: UInt64 = 0
        while done < count {
            let segment = try ZeroBuffer.segment(Int(clamping: count - done))
            try unsafe write(UnsafeRawBufferPointer(start: segment.base, count: segment.count), at: offset + done)
            done += UInt64(segment.count)
        }
    }

    private func notify(_ observer: any ImageFileObserver, _ change: ImageFileChange) throws(DiskImageError) {
        do { try observer.willPerform(change) } catch {
            if case .write = change { noteFailedWrite() }
            throw .system(error)
        }
    }

    // MARK: Holes

    /// The run at `offset` that is all stored or all a hole, at most `limit` bytes long.
    func run(at offset: UInt64, limit: UInt64) throws(DiskImageError) -> (isData: Bool, count: UInt64) {
        let place = try position(offset, "look for data in")
        let data = lseek(descriptor.rawValue, place, Self.seekData)
        if data < 0 {
            // ENXIO: nothing but a hole up to the end. Anything else: the file system cannot tell.
            return (Glibc.errno != ENXIO, limit)
        }
        if data > place { return (false, min(limit, UInt64(data - place))) }
        let hole = lseek(descriptor.rawValue, place, Self.seekHole)
        return (true, hole > place ? min(limit, UInt64(hole - place)) : limit)
    }
}
