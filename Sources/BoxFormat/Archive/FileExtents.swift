internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// Where a file has data and where holes (lseek(2), SEEK_DATA and SEEK_HOLE).
enum FileExtents {
    /// A file system may split data at any place. Ranges are widened and joined to this, so that the map, and with it
    /// an archive, depends on the content and not on how it was written.
    static let granularity: Int64 = 1 << 20

    /// The ranges with data, in order; never more than one for each ``granularity``.
    static func data(of file: borrowing OwnedDescriptor, size: Int64) throws(SystemError) -> [Range<Int64>] {
        // linux/fs.h; glibc declares them only under _GNU_SOURCE.
        let (seekData, seekHole): (CInt, CInt) = (3, 4)
        var ranges: [Range<Int64>] = []
        var position: Int64 = 0
        while position < size {
            let start = Int64(lseek(file.rawValue, Int(position), seekData))
            guard start >= 0 else { break }
            let end = Int64(lseek(file.rawValue, Int(start), seekHole))
            guard end > start else { break }
            let lower = start / granularity * granularity
            let upper = min(size, (end + granularity - 1) / granularity * granularity)
            for block in try blocksWithData(of: file, from: max(lower, ranges.last?.upperBound ?? 0), to: upper) {
                if let last = ranges.last, last.upperBound == block.lowerBound {
                    ranges[ranges.count - 1] = last.lowerBound..<block.upperBound
                } else {
                    ranges.append(block)
                }
            }
            position = max(end, upper)
        }
        return ranges
    }

    /// Leaves out blocks of zeros: whether those are holes differs between copies of the same file.
    private static func blocksWithData(
        of file: borrowing OwnedDescriptor, from lower: Int64, to upper: Int64
    ) throws(SystemError) -> [Range<Int64>] {
        var blocks: [Range<Int64>] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(granularity), alignment: 4096)
        defer { unsafe buffer.deallocate() }
        var position = lower
        while position < upper {
            let next = min(upper, position + granularity)
            // Most blocks show at their start that they are none of zeros.
            let start = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<4096])
            var count = try unsafe file.read(into: start, at: position)
            var hasData = unsafe !isZero(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(start)[..<count]))
            if !hasData {
                count = try unsafe file.read(into: buffer, at: position)
                hasData = unsafe !isZero(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
            }
            if hasData { blocks.append(position..<next) }
            position = next
        }
        return blocks
    }
}

/// Whether all bytes are 0. Compares them with themselves, shifted by one: memcmp(3) is as fast in a debug build.
func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return true }
    guard unsafe bytes[0] == 0 else { return false }
    return unsafe memcmp(start, start + 1, bytes.count - 1) == 0
}
