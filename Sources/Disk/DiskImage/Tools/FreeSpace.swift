/// Where a disk's file systems hold nothing: blocks that once belonged to files keep their bytes until they are used
/// again.
///
/// Knows ext2, ext3 and ext4 on a whole disk or in partitions (MBR, GPT). Whatever it does not understand counts as
/// used.
public struct FreeSpace: Sendable {
    /// In bytes; in order and apart from each other.
    public private(set) var ranges: [Range<UInt64>] = []
    /// Whether every part of the disk is understood. Then ``ranges`` has every free block.
    public private(set) var isWhole = false

    /// As many ranges as a disk has in which each second block is free; a larger one wants our memory.
    private static let rangeLimit = 4 << 20
    private static let sectorSize: UInt64 = 512
    /// Boot loaders have partitions of this size, in bytes, without a file system.
    private static let smallest: UInt64 = 8 << 20

    /// - Parameter disk: Nobody writes to it.
    public init(of disk: any BlockStorage) throws(DiskImageError) {
        var found: [Range<UInt64>] = []
        let volumes = try Self.volumes(of: disk)
        var understood = !volumes.isEmpty
        for volume in volumes {
            if let free = try Ext4Bitmaps.freeRanges(of: disk, in: volume) {
                found += free
            } else if volume.upperBound - volume.lowerBound > Self.smallest {
                understood = false
            }
        }
        found.sort { $0.lowerBound < $1.lowerBound }
        // Partitions that overlap are no partitions of one table: what one holds, another calls free.
        for (one, next) in zip(found, found.dropFirst()) where one.upperBound > next.lowerBound { return }
        if found.count <= Self.rangeLimit {
            ranges = found
            isWhole = understood
        }
    }

    /// The whole disk if it has no partitions, otherwise these.
    private static func volumes(of disk: any BlockStorage) throws(DiskImageError) -> [Range<UInt64>] {
        let size = disk.virtualSize
        guard size >= 4096 else { return [] }
        let record = try disk.read(count: 512, at: 0)
        guard record[510] == 0x55, record[511] == 0xaa else { return [0..<size] }
        var volumes: [Range<UInt64>] = []
        for entry in stride(from: 446, to: 510, by: 16) {
            let type = record[entry + 4]
            if type == 0xee { return try tableVolumes(of: disk) }
            let start = UInt64(littleEndian(record, entry + 8, 4)) * sectorSize
            let count = UInt64(littleEndian(record, entry + 12, 4)) * sectorSize
            guard type != 0, count > 0, start > 0, start + count <= size else { continue }
            volumes.append(start..<(start + count))
        }
        // A boot sector in front of a file system on the whole disk looks like a table without entries.
        return volumes.isEmpty ? [0..<size] : volumes
    }

    /// UEFI specification, section 5.3: GUID partition table.
    private static func tableVolumes(of disk: any BlockStorage) throws(DiskImageError) -> [Range<UInt64>] {
        let header = try disk.read(count: 512, at: sectorSize)
        guard header.starts(with: Array("EFI PART".utf8)) else { return [] }
        let (start, overflow) = littleEndian(header, 72, 8).multipliedReportingOverflow(by: sectorSize)
        let count = littleEndian(header, 80, 4)
        let size = littleEndian(header, 84, 4)
        guard !overflow, count <= 1024, (128...4096).contains(size), start < disk.virtualSize,
            count * size <= disk.virtualSize - start
        else { return [] }
        let entries = try disk.read(count: Int(count * size), at: start)
        var volumes: [Range<UInt64>] = []
        for entry in stride(from: 0, to: entries.count, by: Int(size)) {
            let first = littleEndian(entries, entry + 32, 8)
            let last = littleEndian(entries, entry + 40, 8)
            guard first > 0, last >= first, last < disk.virtualSize / sectorSize else { continue }
            volumes.append(first * sectorSize..<(last + 1) * sectorSize)
        }
        return volumes
    }
}

/// A little-endian number of at most eight bytes.
private func littleEndian(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
    bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
}

/// The block bitmaps of an ext4 file system (kernel documentation, filesystems/ext4: super block, group descriptors).
private enum Ext4Bitmaps {
    /// Blocks that belong to nothing, in bytes of the disk. nil unless the file system is at rest and understood.
    static func freeRanges(
        of disk: any BlockStorage, in volume: Range<UInt64>
    ) throws(DiskImageError) -> [Range<UInt64>]? {
        let length = volume.upperBound - volume.lowerBound
        guard length >= 65536 else { return nil }
        guard try !LaterUse.isSeen(on: disk, in: volume) else { return nil }
        let block = try disk.read(count: 1024, at: volume.lowerBound + 1024)
        func field(_ offset: Int, _ count: Int = 4) -> UInt64 { littleEndian(block, offset, count) }
        let (incompatible, readOnlyCompatible) = (field(0x60), field(0x64))
        let (needsRecovery, metaGroups, has64Bit, bigAllocation): (UInt64, UInt64, UInt64, UInt64) = (
            4, 0x10, 0x80, 0x200
        )
        let isClean = field(0x3a, 2) & 1 == 1 && incompatible & needsRecovery == 0
        guard field(0x38, 2) == 0xef53, isClean, incompatible & metaGroups == 0,
            readOnlyCompatible & bigAllocation == 0, field(0x18) <= 6
        else { return nil }
        let blockSize = UInt64(1024) << field(0x18)
        let blockCount = field(4) | (incompatible & has64Bit != 0 ? field(0x150) << 32 : 0)
        let (first, perGroup) = (field(0x14), field(0x20))
        let descriptorSize = incompatible & has64Bit != 0 ? field(0xfe, 2) : 32
        guard (32...1024).contains(descriptorSize), perGroup > 0, perGroup <= blockSize * 8, first <= 1,
            blockCount > first, blockCount <= length / blockSize
        else { return nil }
        let groupCount = (blockCount - first + perGroup - 1) / perGroup
        let table = (first + 1) * blockSize
        guard groupCount * descriptorSize <= length - table else { return nil }
        var ranges: [Range<UInt64>] = []
        var open: Range<UInt64>?
        for group in 0..<groupCount {
            let place = volume.lowerBound + table + group * descriptorSize
            let descriptor = try disk.read(count: Int(descriptorSize), at: place)
            // Never used since the file system was made: there is no bitmap.
            let isUninitialized = littleEndian(descriptor, 0x12, 2) & 2 != 0
            let bitmapBlock =
                littleEndian(descriptor, 0, 4) | (descriptorSize >= 64 ? littleEndian(descriptor, 0x20, 4) << 32 : 0)
            guard !isUninitialized, bitmapBlock < blockCount, ranges.count < 4 << 20 else { continue }
            let bitmap = try disk.read(count: Int(blockSize), at: volume.lowerBound + bitmapBlock * blockSize)
            let start = first + group * perGroup
            for index in 0..<min(perGroup, blockCount - start)
            where bitmap[Int(index >> 3)] >> UInt8(index & 7) & 1 == 0 {
                let place = volume.lowerBound + (start + index) * blockSize
                if let current = open, current.upperBound == place {
                    open = current.lowerBound..<(place + blockSize)
                } else {
                    if let open { ranges.append(open) }
                    open = place..<(place + blockSize)
                }
            }
        }
        if let open { ranges.append(open) }
        return ranges
    }
}
