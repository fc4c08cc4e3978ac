import Glibc

/// Zeroes to write from. Nothing writes to it, so all of its pages are the kernel's one zero page.
@safe enum ZeroBuffer {
    static let byteCount = 1 << 20

    // SAFETY: the memory is mapped once, read-only, and stays for the life of the process.
    nonisolated(unsafe) private static let base: UnsafeMutableRawPointer? = {
        let address = unsafe mmap(nil, byteCount, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address = unsafe address, Int(bitPattern: address) != -1 else { return nil }
        return unsafe address
    }()

    /// - Parameter count: At most ``byteCount``.
    static func segment(_ count: Int) throws(DiskImageError) -> BlockSegment {
        guard let base = unsafe base else { throw .outOfMemory }
        return unsafe BlockSegment(base: base, count: min(count, byteCount))
    }
}

/// Whether every byte is zero.
func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return true }
    // A buffer is all zero if its first byte is, and every byte equals the one before it.
    guard unsafe base.load(as: UInt8.self) == 0 else { return false }
    return unsafe memcmp(base, base + 1, bytes.count - 1) == 0
}
