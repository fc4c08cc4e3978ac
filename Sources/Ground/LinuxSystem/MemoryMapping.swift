import CLinux
import Glibc
import SystemPackage

/// A range of this process's address space, unmapped when the value ends.
@safe public struct MemoryMapping: ~Copyable, @unchecked Sendable {
    // Unchecked: the mapping is only an address range; who reads and writes through it agrees on that elsewhere.
    public let bytes: UnsafeMutableRawBufferPointer

    private init(_ bytes: UnsafeMutableRawBufferPointer) { unsafe self.bytes = bytes }

    deinit { _ = unsafe munmap(bytes.baseAddress, bytes.count) }

    /// Zeroed memory that belongs to this process alone.
    /// - Parameters:
    ///   - count: In bytes; rounded up to pages by the kernel.
    ///   - alignment: A power of two, in bytes. 2 MiB lets the kernel use huge pages for all of it.
    ///   - reserve: Whether the kernel accounts the memory at once; guest RAM is not reserved.
    public static func anonymous(
        count: Int, alignment: Int = 4096, reserve: Bool = true
    ) throws(SystemError) -> MemoryMapping {
        let (padded, overflow) = count.addingReportingOverflow(alignment)
        guard count > 0, !overflow else { throw SystemError("map memory", nil, .invalidArgument) }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | (reserve ? 0 : MAP_NORESERVE)
        let base = try unsafe map(count: padded, PROT_READ | PROT_WRITE, flags, -1, 0)
        // Cut the ends off, so that what remains starts at the alignment.
        let address = Int(bitPattern: base)
        let head = (alignment - address % alignment) % alignment
        if head > 0 { _ = unsafe munmap(base, head) }
        let used = (count + 4095) & ~4095
        let tail = padded - head - used
        if tail > 0 { _ = unsafe munmap(base + head + used, tail) }
        return unsafe MemoryMapping(UnsafeMutableRawBufferPointer(start: base + head, count: count))
    }

    /// Maps part of a file or device, shared with whoever else maps it.
    public static func shared(
        _ descriptor: borrowing OwnedDescriptor, count: Int, offset: Int64 = 0, writable: Bool = true
    ) throws(SystemError) -> MemoryMapping {
        let protection = writable ? PROT_READ | PROT_WRITE : PROT_READ
        let base = try unsafe map(count: count, protection, MAP_SHARED, descriptor.rawValue, offset)
        return unsafe MemoryMapping(UnsafeMutableRawBufferPointer(start: base, count: count))
    }

    private static func map(
        count: Int, _ protection: CInt, _ flags: CInt, _ descriptor: CInt, _ offset: Int64
    ) throws(SystemError) -> UnsafeMutableRawPointer {
        let address = unsafe mmap(nil, count, protection, flags, descriptor, Int(offset))
        guard let address = unsafe address, Int(bitPattern: address) != -1 else {
            throw SystemError("map memory", nil, Errno(rawValue: Glibc.errno))
        }
        return unsafe address
    }
}
