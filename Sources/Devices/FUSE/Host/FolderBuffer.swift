import CLinux
import Glibc
import Synchronization
import SystemPackage

/// An entry of a folder as getdents64(2) gave it. The name lives until the buffer is filled again.
@safe struct FolderEntry {
    let inode: UInt64
    /// Where the next entry is.
    let next: UInt64
    let type: UInt8
    let name: UnsafeRawBufferPointer
}

/// Entries of a folder. One call of the host fills it for several requests of a guest.
@safe final class FolderBuffer {
    private static let byteCount = 32 << 10
    private static let headerByteCount = 19
    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: FolderBuffer.byteCount, alignment: 8)
    private var count = 0
    /// The handle whose entries these are; numbers of handles are never used twice.
    private var owner: UInt64 = 0
    /// In which of its passes they were read. Another thread's buffer may have been filled in a later one.
    private var pass: UInt64 = 0
    /// Where the first of them is.
    private var start: UInt64 = 0

    deinit { unsafe bytes.deallocate() }

    /// Calls `body` with the entries behind `offset`, until it returns false or there are no more.
    ///
    /// An offset is what the host's file system gave for an entry; one that it did not give is its to judge, as it is
    /// when a user of the host seeks in a folder.
    func forEachEntry(
        of handle: Handle, _ number: UInt64, from offset: UInt64, _ body: (FolderEntry) throws(Errno) -> Bool
    ) throws(Errno) {
        guard offset <= UInt64(Int64.max) else { throw .invalidArgument }
        var next = offset
        var position: Int
        // From the beginning, a guest wants to see what is there now.
        let isCurrent = owner == number && handle.position.withLock { $0.pass } == pass
        if offset != 0, isCurrent, let found = place(of: offset) {
            position = found
        } else {
            try fill(handle, number, from: offset)
            position = 0
        }
        while true {
            if position >= count {
                // Empty already when asked for these very entries: the end.
                if count == 0, start == next { return }
                try fill(handle, number, from: next)
                position = 0
                if count == 0 { return }
            }
            guard let (entry, end) = entry(at: position) else { throw .ioError }
            guard try body(entry) else { return }
            next = entry.next
            position = end
        }
    }

    /// Where in the buffer the entry behind `offset` is.
    private func place(of offset: UInt64) -> Int? {
        if start == offset { return 0 }
        var position = 0
        while let (entry, end) = entry(at: position) {
            if entry.next == offset { return end }
            position = end
        }
        return nil
    }

    /// `struct linux_dirent64`: inode number, offset of the next, length, type, name with a NUL and padding.
    private func entry(at position: Int) -> (FolderEntry, end: Int)? {
        guard position + Self.headerByteCount < count else { return nil }
        let length = unsafe Int(bytes.loadUnaligned(fromByteOffset: position + 16, as: UInt16.self))
        guard length > Self.headerByteCount, position + length <= count else { return nil }
        let text = unsafe UnsafeRawBufferPointer(
            rebasing: bytes[position + Self.headerByteCount..<position + length])
        let nameEnd = unsafe text.firstIndex(of: 0) ?? text.count
        let entry = unsafe FolderEntry(
            inode: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self),
            next: bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self),
            type: bytes.loadUnaligned(fromByteOffset: position + 18, as: UInt8.self),
            name: UnsafeRawBufferPointer(rebasing: text[..<nameEnd]))
        return (entry, position + length)
    }

    private func fill(_ handle: Handle, _ number: UInt64, from offset: UInt64) throws(Errno) {
        owner = 0
        count = 0
        // The position is the open folder's own, so nobody else may move it between the two calls.
        let result = handle.position.withLock { position -> Result<Int, Errno> in
            do throws(Errno) {
                if position.offset != offset || offset == 0 {
                    try HostCall.call(Int(SYS_lseek), handle.file, UInt(offset), UInt(SEEK_SET))
                    position.offset = offset
                }
                if offset == 0 { position.pass += 1 }
                pass = position.pass
                let count = unsafe try HostCall.call(
                    Int(SYS_getdents64), handle.file, UInt(bitPattern: bytes.baseAddress),
                    UInt(Self.byteCount))
                self.count = count
                var at = 0
                while let (entry, end) = entry(at: at) {
                    position.offset = entry.next
                    at = end
                }
                return .success(count)
            } catch { return .failure(error) }
        }
        count = try result.get()
        owner = number
        start = offset
    }
}
