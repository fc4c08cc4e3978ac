import CLinux
public import LinuxSystem
import SystemPackage

/// The guest's RAM: where it is in guest-physical space, and where in this process.
///
/// RAM runs from 0 to 3 GiB, or to another monitor's limit, and continues at 4 GiB; the hole between belongs to
/// devices. One mapping backs both parts.
///
/// Thread safety: the layout never changes. The bytes belong to the guest, whose CPUs write them at any time: read
/// everything once, copy it, and check the copy. Only the atomic accesses order host and guest. No access reaches
/// outside RAM, whatever address it is given.
@safe public final class GuestMemory: @unchecked Sendable {
    /// The address after the last byte of low RAM: 3 GiB.
    public static let lowLimit: UInt64 = 3 << 30
    /// The first byte of high RAM: 4 GiB.
    public static let highStart: UInt64 = 4 << 30
    public static let pageSize = 4096

    private let mapping: MemoryMapping
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let lowCount: UInt64
    @usableFromInline let highCount: UInt64

    /// Guest RAM in anonymous memory, which costs nothing until the guest touches it.
    /// - Parameter byteCount: A multiple of 4096.
    /// - Throws: `EINVAL` for an impossible size, `ENOMEM` if the address space is too small for it.
    public convenience init(byteCount: UInt64) throws(SystemError) {
        guard let count = Int(exactly: byteCount), count > 0, count % Self.pageSize == 0 else {
            throw SystemError("map guest memory of \(byteCount) bytes", nil, .invalidArgument)
        }
        // Aligned for huge pages: guests start measurably faster with them.
        let mapping = try MemoryMapping.anonymous(count: count, alignment: 2 << 20, reserve: false)
        // Advice only; kernels without huge pages refuse it. The guest's memory has no place in a core dump.
        _ = unsafe madvise(mapping.bytes.baseAddress, count, MADV_HUGEPAGE)
        _ = unsafe madvise(mapping.bytes.baseAddress, count, MADV_DONTDUMP)
        try self.init(mapping: mapping)
    }

    /// Guest RAM in a mapping that somebody else prepared, such as a snapshot's file or the memory of another monitor.
    /// - Parameter lowLimit: The address after the last byte of low RAM, on a machine that has more: a multiple of
    ///   4096, at most 4 GiB.
    /// - Throws: `EINVAL` for an impossible size or limit.
    public init(mapping: consuming MemoryMapping, lowLimit: UInt64 = GuestMemory.lowLimit) throws(SystemError) {
        let count = unsafe mapping.bytes.count
        guard let base = unsafe mapping.bytes.baseAddress, count > 0, count % Self.pageSize == 0,
            lowLimit > 0, lowLimit <= Self.highStart, lowLimit % UInt64(Self.pageSize) == 0
        else { throw SystemError("use a mapping of \(count) bytes as guest memory", nil, .invalidArgument) }
        unsafe self.base = base
        lowCount = min(UInt64(count), lowLimit)
        highCount = UInt64(count) - lowCount
        self.mapping = mapping
    }

    /// All RAM, in bytes.
    public var byteCount: UInt64 { lowCount + highCount }

    /// Low RAM, then high RAM if there is any.
    public var regions: [GuestRegion] {
        var regions = [unsafe GuestRegion(guestAddress: 0, byteCount: lowCount, hostAddress: base)]
        if highCount > 0 {
            regions.append(
                unsafe GuestRegion(
                    guestAddress: Self.highStart, byteCount: highCount, hostAddress: base + Int(lowCount)))
        }
        return regions
    }
}
