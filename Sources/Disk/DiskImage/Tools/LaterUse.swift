/// Uses of a volume that leave an older super block of ext4 in place, whose bitmaps then mean nothing.
///
/// Each puts its mark elsewhere than in the second kilobyte, and does not have to overwrite that one (blkid(8) warns of
/// such volumes as ambivalent).
enum LaterUse {
    private static let marks: [(offset: UInt64, bytes: [UInt8])] = [
        (0, text("XFSB")), (0, text("LUKS")), (0, text("bluestore block device")), (0, text("integrt")),
        (0, text("dmvdo001")), (512, text("SKUL")),
        // LVM has its label in one of the first four sectors, Stratis in two places.
        (0, text("LABELONE")), (512, text("LABELONE")), (1024, text("LABELONE")), (1536, text("LABELONE")),
        (516, text("!Stra0tis")), (9 * 512 + 4, text("!Stra0tis")),
        // Linux' RAID, of versions 1.1 and 1.2.
        (0, raid), (4096, raid),
        (4096 + 24, [0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca, 0x82, 0x65, 0xf5, 0x7f, 0x48, 0xba, 0x6d, 0x81]),
        (4096 + 24, [0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9, 0xd9, 0x6a, 0x60, 0xcf, 0x80, 0x3d, 0xf7, 0xef]),
        (32768, text("JFS1")), (65536 + 52, text("ReIsEr")), (65536 + 64, text("_BHRfS_M")),
        // Reiser4's and GFS2's.
        (65536, text("ReIsEr4")), (65536, [0x01, 0x16, 0x19, 0x70]),
    ]
    private static let raid: [UInt8] = [0xfc, 0x4e, 0x2b, 0xa9]
    /// ZFS has up to 128 of them in its first label, of either byte order; not all need to be written.
    private static let uberblocks: Range<UInt64> = 131_072..<262_144
    private static let uberblockMarks: [[UInt8]] = [
        [0x0c, 0xb1, 0xba, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0xba, 0xb1, 0x0c],
    ]

    /// Whether there is one on `volume`, a range of bytes of the disk.
    static func isSeen(on disk: any BlockStorage, in volume: Range<UInt64>) throws(DiskImageError) -> Bool {
        let length = volume.upperBound - volume.lowerBound
        let start = try disk.read(count: Int(min(length, uberblocks.upperBound)), at: volume.lowerBound)
        if marks.contains(where: { holds(start, $0.bytes, at: $0.offset) }) { return true }
        for place in stride(from: uberblocks.lowerBound, to: uberblocks.upperBound, by: 1024)
        where uberblockMarks.contains(where: { holds(start, $0, at: place) }) { return true }
        // Linux' RAID of versions 1.0 and 0.90 has it at the end.
        for (unit, distance) in [(4096, 8192), (65536, 65536)] as [(UInt64, UInt64)] where length >= 2 * distance {
            let place = (length / unit) * unit - distance
            if try disk.read(count: 4, at: volume.lowerBound + place) == raid { return true }
        }
        return false
    }

    private static func holds(_ bytes: [UInt8], _ mark: [UInt8], at offset: UInt64) -> Bool {
        let offset = Int(offset)
        return bytes.count >= offset + mark.count && bytes[offset..<offset + mark.count].elementsEqual(mark)
    }

    private static func text(_ mark: String) -> [UInt8] { Array(mark.utf8) }
}
