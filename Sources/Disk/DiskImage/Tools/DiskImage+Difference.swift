import Glibc
public import SystemPackage

extension DiskImage {
    /// What a difference says that it stands on: no file of that name is ever looked for.
    private static let parentName: FilePath = "parent"

    /// Writes what differs between two disks into a new qcow2 layer: with it over `parent`, a disk reads as `source`.
    ///
    /// The same content gives the same bytes. The file appears whole or not at all. It has blocks of 4 KiB, as most
    /// file systems have.
    /// - Parameter sharedDepth: The first layer that `source` and `parent` share, with all below it, so that their
    ///   content need not be compared; nil if none is known.
    public static func difference(
        of source: any BlockStorage, from parent: any BlockStorage, sharedDepth: Int?, to path: FilePath,
        permissions: UInt32 = 0o600, progress: DiskProgress = { (_, _) throws(DiskImageError) in }
    ) throws(DiskImageError) {
        var options = QcowOptions()
        options.clusterBits = 12
        let total = source.virtualSize
        let empty = try emptyImage(options, virtualSize: total, backing: (parentName, .qcow2))
        try withNewFile(empty, at: path, size: UInt64(empty.count), permissions: permissions) {
            file throws(DiskImageError) in
            let writer = try QcowWriter(file, compression: .none)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 << 20, alignment: 4096)
            defer { unsafe buffer.deallocate() }
            var offset: UInt64 = 0
            while offset < total {
                try progress(offset, total)
                let extent = try source.extent(at: offset)
                if let end = try sharedEnd(extent, parent, sharedDepth) {
                    // On to the first block that is not wholly in this run.
                    let next = end >= total ? total : end & ~UInt64(4095)
                    if next > offset {
                        offset = next
                        continue
                    }
                }
                let count = Int(min(1 << 20, total - offset))
                try unsafe compare(source, parent, at: offset, count: count, in: buffer, writer)
                offset += UInt64(count)
            }
            try progress(total, total)
            try writer.finish()
        }
    }

    /// Up to where a run needs no look, because it is the parent's own, or zero in both; nil if it does need one.
    private static func sharedEnd(
        _ extent: BlockExtent, _ parent: any BlockStorage, _ sharedDepth: Int?
    ) throws(DiskImageError) -> UInt64? {
        let end = extent.offset + extent.count
        let isInside = extent.offset < parent.virtualSize
        if let sharedDepth, isInside, extent.depth ?? sharedDepth >= sharedDepth { return min(end, parent.virtualSize) }
        guard extent.kind == .zero else { return nil }
        guard isInside else { return end }
        let other = try parent.extent(at: extent.offset)
        return other.kind == .zero ? min(end, other.offset + other.count) : nil
    }

    /// Compares a piece block by block and adds the blocks that differ.
    private static func compare(
        _ source: any BlockStorage, _ parent: any BlockStorage, at offset: UInt64, count: Int,
        in buffer: UnsafeMutableRawBufferPointer, _ writer: QcowWriter
    ) throws(DiskImageError) {
        let new = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        let old = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[(1 << 20)..<((1 << 20) + count)])
        try unsafe source.read(into: new, at: offset)
        // What the parent lacks reads as zeroes.
        unsafe old.initializeMemory(as: UInt8.self, repeating: 0)
        let present = offset < parent.virtualSize ? Int(min(UInt64(count), parent.virtualSize - offset)) : 0
        if present > 0 {
            try unsafe parent.read(into: UnsafeMutableRawBufferPointer(rebasing: old[..<present]), at: offset)
        }
        var done = 0
        while done < count {
            let size = min(4096, count - done)
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: new[done..<(done + size)])
            let before = unsafe UnsafeRawBufferPointer(rebasing: old[done..<(done + size)])
            if let here = bytes.baseAddress, let there = before.baseAddress, unsafe memcmp(here, there, size) != 0 {
                if unsafe isZero(bytes) {
                    try writer.addZeroes(at: offset + UInt64(done))
                } else {
                    try unsafe writer.add(bytes, at: offset + UInt64(done))
                }
            }
            done += size
        }
    }
}
