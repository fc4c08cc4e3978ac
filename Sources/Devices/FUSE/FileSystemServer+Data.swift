import CLinux
import Glibc
import SystemPackage

// What is in files.

extension FileSystemServer {
    /// READ: from the file straight into the reply's buffers. Less than was asked for is the end of the file.
    /// - Returns: The length of the reply.
    func read<E: FUSEExchange & ~Copyable>(_ request: inout Request, _ exchange: inout E) throws(Errno) -> Int {
        let handle = try handles.handle(request.take(), of: request.header.node)
        let offset = try request.take(UInt64.self)
        let size = try request.take(UInt32.self)
        guard handle.isReadable else { throw .badFileDescriptor }
        let count = min(Int(size), exchange.replyCapacity - Reply.headerByteCount, Self.transferLimit)
        let start = try Self.position(offset, count)
        var done = 0
        while done < count {
            let range = Reply.headerByteCount + done..<Reply.headerByteCount + count
            let result = try HostCall.checked {
                unsafe exchange.withReplyVectors(range) { vectors in
                    handle.file.use {
                        unsafe linux_preadv(
                            CInt(truncatingIfNeeded: $0), vectors.baseAddress, CInt(clamping: vectors.count),
                            start + Int64(done))
                    }
                }
            }
            if result == 0 { break }
            done += min(result, count - done)
        }
        return Reply.headerByteCount + done
    }

    // linux/fuse.h, FUSE_WRITE_CACHE; linux/fs.h, RWF_*
    private static let isFromCache: UInt32 = 1 << 0
    private static let appends: CInt = 0x10
    private static let synchronizesData: CInt = 0x02
    private static let synchronizes: CInt = 0x04
    /// The size of WRITE's argument, in bytes; the data follow it.
    static let writeArgumentByteCount = 40

    /// WRITE: straight from the request's buffers.
    func write<E: FUSEExchange & ~Copyable>(
        _ request: inout Request, _ exchange: inout E, _ reply: inout Reply
    ) throws(Errno) {
        let handle = try handles.handle(request.take(), of: request.header.node)
        let offset = try request.take(UInt64.self)
        let size = Int(try request.take(UInt32.self))
        let writeFlags = try request.take(UInt32.self)
        try request.skip(8)
        let flags = CInt(truncatingIfNeeded: try request.take(UInt32.self))
        try reply.require(8)
        guard handle.isWritable else { throw .badFileDescriptor }
        let first = RequestHeader.byteCount + Self.writeArgumentByteCount
        guard size <= Int(request.header.length) - first else { throw .invalidArgument }
        let start = try Self.position(offset, size)
        var how: CInt = 0
        // Pages of the guest's cache have a place; a program's own write at the end goes where the end is by now.
        if flags & O_APPEND != 0, writeFlags & Self.isFromCache == 0 { how |= Self.appends }
        if flags & O_SYNC == O_SYNC {
            how |= Self.synchronizes
        } else if flags & O_DSYNC != 0 {
            how |= Self.synchronizesData
        }
        var done = 0
        while done < size {
            let range = first + done..<first + size
            do throws(Errno) {
                let result = try HostCall.checked {
                    unsafe exchange.withRequestVectors(range) { vectors in
                        handle.file.use {
                            unsafe linux_pwritev2(
                                CInt(truncatingIfNeeded: $0), vectors.baseAddress, CInt(clamping: vectors.count),
                                start + Int64(done), how)
                        }
                    }
                }
                if result == 0 { break }
                done += min(result, size - done)
            } catch {
                if done == 0 { throw error }
                break
            }
        }
        reply.append(UInt32(clamping: done))
        reply.append(0 as UInt32)
    }

    /// - Throws: `EINVAL` for a range that ends where no file does.
    private static func position(_ offset: UInt64, _ count: Int) throws(Errno) -> Int64 {
        guard offset <= UInt64(Int64.max), Int64(offset) <= Int64.max - Int64(count) else { throw .invalidArgument }
        return Int64(offset)
    }

    /// LSEEK: finds data or a hole. All else the guest knows itself.
    func seek(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let handle = try handles.handle(request.take(), of: request.header.node)
        let offset = try request.take(UInt64.self)
        let whence = try request.take(UInt32.self)
        try reply.require(8)
        // SEEK_DATA, SEEK_HOLE
        guard whence == 3 || whence == 4 else { throw .invalidArgument }
        let start = try Self.position(offset, 0)
        let found = try HostCall.call(Int(SYS_lseek), handle.file, UInt(start), UInt(whence))
        reply.append(UInt64(found))
    }

    // linux/falloc.h
    private static let keepSize: UInt32 = 0x01
    private static let punchHole: UInt32 = 0x02
    private static let zeroRange: UInt32 = 0x10

    /// FALLOCATE: reserves room, frees it or fills it with zeroes.
    func allocate(_ request: inout Request) throws(Errno) {
        let handle = try handles.handle(request.take(), of: request.header.node)
        let offset = try request.take(UInt64.self)
        let length = try request.take(UInt64.self)
        let mode = try request.take(UInt32.self)
        let allowed = [
            0, Self.keepSize, Self.punchHole | Self.keepSize, Self.zeroRange, Self.zeroRange | Self.keepSize,
        ]
        guard allowed.contains(mode) else { throw .notSupported }
        guard handle.isWritable else { throw .badFileDescriptor }
        guard length <= UInt64(Int64.max) else { throw .invalidArgument }
        let start = try Self.position(offset, Int(length))
        try HostCall.call(
            Int(SYS_fallocate), handle.file, UInt(mode), UInt(start), UInt(length))
    }

    /// The most that one request copies, in bytes: the thread is the guest's for that long.
    private static let copyLimit: UInt64 = 256 << 20

    /// COPY_FILE_RANGE: inside the host, by reference where its file system can.
    func copyRange(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let source = try handles.handle(request.take(), of: request.header.node)
        let sourceOffset = try request.take(UInt64.self)
        let targetNode = try request.take(UInt64.self)
        let target = try handles.handle(request.take(), of: targetNode)
        let targetOffset = try request.take(UInt64.self)
        let length = try request.take(UInt64.self)
        guard try request.take(UInt64.self) == 0 else { throw .invalidArgument }
        try reply.require(8)
        guard source.isReadable, target.isWritable else { throw .badFileDescriptor }
        let count = Int(min(length, Self.copyLimit))
        let from = try Self.position(sourceOffset, count)
        let to = try Self.position(targetOffset, count)
        let copied = try HostCall.checked {
            var (from, to) = (from, to)
            return source.file.use { source in
                target.file.use {
                    unsafe linux_copy_file_range(
                        CInt(truncatingIfNeeded: source), &from, CInt(truncatingIfNeeded: $0), &to, count)
                }
            }
        }
        reply.append(UInt32(clamping: copied))
        reply.append(0 as UInt32)
    }
}
