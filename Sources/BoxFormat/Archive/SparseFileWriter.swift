internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// Writes a new file whose runs of zeros become holes.
struct SparseFileWriter: ~Copyable {
    private static let blockSize = 4096
    /// Bytes after which the kernel is asked to start writing, so that the final wait for the disk is short.
    private static let writeBackStep: Int64 = 32 << 20

    private let file: OwnedDescriptor
    /// Bytes that went to the disk, not counting holes.
    private(set) var allocated: UInt64 = 0
    private var writtenBack: Int64 = 0

    /// - Throws: `EEXIST` if there is something at `path`.
    init(creating path: FilePath) throws(SystemError) {
        file = try OwnedDescriptor.open(path, [.writeOnly, .create, .exclusive, .noFollow], permissions: 0o600)
    }

    /// Writes `bytes` at `offset`, which may lie behind the end of what was written so far.
    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemError) {
        var position = 0
        while position < bytes.count {
            // Runs of equal kind, cut at the file's blocks.
            let start = position
            let isHole = unsafe isZero(Self.block(of: bytes, at: start, offset: offset))
            while position < bytes.count {
                let block = unsafe Self.block(of: bytes, at: position, offset: offset)
                guard unsafe isZero(block) == isHole else { break }
                position += block.count
            }
            guard !isHole else { continue }
            try unsafe file.writeAll(
                UnsafeRawBufferPointer(rebasing: bytes[start..<position]), at: offset + Int64(start))
            allocated += UInt64(position - start)
        }
        let end = offset + Int64(bytes.count)
        guard end - writtenBack >= Self.writeBackStep else { return }
        // Advice only: a file system that cannot do it writes later.
        Self.startWriteBack(file.rawValue, from: writtenBack, count: end - writtenBack)
        writtenBack = end
    }

    /// Gives the file its length and permissions and forces it to the disk.
    consuming func finish(length: Int64, permissions: UInt32) throws(SystemError) {
        try file.truncate(to: length)
        _ = fchmod(file.rawValue, permissions)
        try file.synchronize()
    }

    /// sync_file_range(2), which glibc declares only under _GNU_SOURCE.
    private static func startWriteBack(_ raw: CInt, from start: Int64, count: Int64) {
        #if arch(x86_64)
        let number = 277
        #else
        let number = 84
        #endif
        let write: UInt = 2
        _ = linux_syscall(number, UInt(raw), UInt(start), UInt(count), write, 0)
    }

    private static func block(
        of bytes: UnsafeRawBufferPointer, at position: Int, offset: Int64
    ) -> UnsafeRawBufferPointer {
        let into = Int((offset + Int64(position)) % Int64(blockSize))
        let end = min(bytes.count, position + blockSize - into)
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[position..<end])
    }
}
