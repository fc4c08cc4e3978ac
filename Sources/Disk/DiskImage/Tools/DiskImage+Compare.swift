import Glibc

/// How two disks differ.
public struct DiskComparison: Hashable, Sendable {
    /// The first byte that is not the same; nil if there is none. A shorter disk counts as if it were filled up with
    /// zeroes.
    public var firstDifference: UInt64?
    /// In bytes.
    public var sizes: [UInt64]
    /// The content is the same; sizes may differ by zeroes.
    public var isEqual: Bool { firstDifference == nil }
}

extension DiskImage {
    /// Compares the content of two disks, whatever their formats.
    public static func compare(
        _ left: any BlockStorage, _ right: any BlockStorage,
        progress: DiskProgress = { (_, _) throws(DiskImageError) in }
    ) throws(DiskImageError) -> DiskComparison {
        var result = DiskComparison(firstDifference: nil, sizes: [left.virtualSize, right.virtualSize])
        let total = max(left.virtualSize, right.virtualSize)
        let chunk = 1 << 20
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * chunk, alignment: 4096)
        defer { unsafe buffer.deallocate() }
        var offset: UInt64 = 0
        while offset < total {
            try progress(offset, total)
            let zero = min(try zeroRun(left, offset, total), try zeroRun(right, offset, total))
            if zero > 0 {
                offset += zero
                continue
            }
            let count = Int(min(UInt64(chunk), total - offset))
            let first = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            let second = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[chunk..<(chunk + count)])
            try unsafe read(left, into: first, at: offset)
            try unsafe read(right, into: second, at: offset)
            guard let here = first.baseAddress, let there = second.baseAddress else { break }
            if unsafe memcmp(here, there, count) != 0 {
                let index = (0..<count).first { unsafe first[$0] != second[$0] } ?? 0
                result.firstDifference = offset + UInt64(index)
                return result
            }
            offset += UInt64(count)
        }
        try progress(total, total)
        return result
    }

    /// How many bytes from `offset` on are known to be zero without reading them.
    private static func zeroRun(
        _ storage: any BlockStorage, _ offset: UInt64, _ total: UInt64
    ) throws(DiskImageError) -> UInt64 {
        guard offset < storage.virtualSize else { return total - offset }
        let extent = try storage.extent(at: offset)
        return extent.kind == .zero ? extent.count : 0
    }

    /// Reads, with zeroes behind the end.
    private static func read(
        _ storage: any BlockStorage, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(DiskImageError) {
        let size = storage.virtualSize
        let present = offset < size ? Int(min(UInt64(buffer.count), size - offset)) : 0
        if present > 0 {
            try unsafe storage.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<present]), at: offset)
        }
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[present...]).initializeMemory(
            as: UInt8.self, repeating: 0)
    }
}
