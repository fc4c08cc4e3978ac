import CLinux
import Glibc
import SystemPackage

extension OwnedDescriptor {
    /// Reads at most `buffer.count` bytes; 0 at the end of the file.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        try retrying("read") { unsafe negativeErrno(Glibc.read(rawValue, buffer.baseAddress, buffer.count)) }
    }

    /// Reads at most `buffer.count` bytes at `offset`, in bytes; 0 at or behind the end of the file.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError) -> Int {
        try retrying("read") { unsafe negativeErrno(pread(rawValue, buffer.baseAddress, buffer.count, Int(offset))) }
    }

    /// Fills `buffer` from `offset` on, in bytes.
    /// - Returns: How many bytes there were before the file ended.
    public func readWhole(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(SystemError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try unsafe read(into: rest, at: offset + Int64(done))
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Reads what is there, at most `count` bytes; empty at the end of the file.
    public func read(upTo count: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(SystemError) {
                initialized = try unsafe read(into: UnsafeMutableRawBufferPointer(buffer))
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads until the end of the file.
    /// - Throws: `EFBIG` if there is more than `limit` bytes.
    public func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let chunk = try read(upTo: min(1 << 16, limit - bytes.count + 1))
            if chunk.isEmpty { return bytes }
            bytes += chunk
            guard bytes.count <= limit else { throw SystemError("read", nil, .fileTooLarge) }
        }
    }

    /// Writes every byte, however many calls that takes.
    public func writeAll(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var rest = unsafe bytes
        while unsafe !rest.isEmpty {
            let count = try retrying("write") {
                unsafe negativeErrno(Glibc.write(rawValue, rest.baseAddress, rest.count))
            }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Writes every byte at `offset`, in bytes.
    public func writeAll(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemError) {
        var rest = unsafe bytes
        var position = offset
        while unsafe !rest.isEmpty {
            let count = try retrying("write") {
                unsafe negativeErrno(pwrite(rawValue, rest.baseAddress, rest.count, Int(position)))
            }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            position += Int64(count)
        }
    }

    public func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        var failure: SystemError?
        unsafe bytes.withUnsafeBytes { buffer in
            do throws(SystemError) { try unsafe writeAll(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Writes as many of the bytes as there is room for.
    /// - Returns: How many that were; at least one, or it throws `EAGAIN`.
    public func write(upTo bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe negativeErrno(Glibc.write(rawValue, buffer.baseAddress, buffer.count))
        }
        return try checked(count, "write")
    }

    public func writeAll(_ text: String) throws(SystemError) { try writeAll(Array(text.utf8)) }

    /// Forces data and metadata to the disk.
    public func synchronize() throws(SystemError) {
        _ = try retrying("write to the disk") { Int(negativeErrno(Int(fsync(rawValue)))) }
    }

    /// Forces data, and only the metadata that reading it needs, to the disk.
    public func synchronizeData() throws(SystemError) {
        _ = try retrying("write to the disk") { Int(negativeErrno(Int(fdatasync(rawValue)))) }
    }

    public func truncate(to length: Int64) throws(SystemError) {
        _ = try retrying("resize") { negativeErrno(Int(ftruncate(rawValue, Int(length)))) }
    }
}

/// For functions that Swift imports directly: nothing runs between the call and the look at `errno`.
@inline(__always)
func negativeErrno(_ result: Int) -> Int { result < 0 ? -Int(Glibc.errno) : result }
