import DiskImage
import LinuxSystem

/// What the first sectors of a disk say about who can start from it. File systems are not looked at.
struct BootSectors {
    /// What has to be read of a disk: the boot sector and the partition tables of both kinds, in bytes.
    static let count = 34 * sector
    private static let sector = 512
    /// The type of an EFI system partition (UEFI 2.10, section 5.3.3), as it is stored.
    private static let systemPartition: [UInt8] = [
        0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b,
    ]

    private let bytes: [UInt8]

    /// - Parameter bytes: The first ``count``; fewer of a smaller disk.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(of disk: some BlockStorage) throws {
        let count = Int(min(UInt64(Self.count), disk.virtualSize))
        var bytes = [UInt8](repeating: 0, count: count)
        try unsafe bytes.withUnsafeMutableBytes { try unsafe disk.read(into: $0, at: 0) }
        self.bytes = bytes
    }

    /// The firmware that finds a boot loader there; nil if none does. A disk for both is started as the older kind,
    /// which is there on more hosts.
    var firmware: StartMethod.Firmware? {
        guard bytes.count >= Self.sector, bytes[510] == 0x55, bytes[511] == 0xaa else { return nil }
        // The boot sector's code ends where the disk's signature and the partition table begin.
        if bytes[..<440].contains(where: { $0 != 0 }) { return .bios }
        return hasSystemPartition ? .uefi : nil
    }

    private var hasSystemPartition: Bool {
        let types = (0..<4).map { bytes[446 + 16 * $0 + 4] }
        return types.contains(0xef) || gptTypes.contains(Self.systemPartition[...])
    }

    /// The partitions' types in a GPT, as far as its entries were read (UEFI 2.10, section 5.3.2).
    private var gptTypes: [ArraySlice<UInt8>] {
        guard bytes.count >= 2 * Self.sector, bytes[Self.sector...].starts(with: "EFI PART".utf8) else { return [] }
        func number(_ offset: Int, _ count: Int) -> Int? {
            let start = Self.sector + offset
            return Int(exactly: bytes[start..<start + count].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) })
        }
        guard let first = number(72, 8), let count = number(80, 4), let size = number(84, 4), size >= 128,
            first >= 2, first < Self.count / Self.sector
        else { return [] }
        return (0..<min(count, 128)).compactMap { index in
            let start = first * Self.sector + index * size
            return start + 16 <= bytes.count ? bytes[start..<start + 16] : nil
        }
    }
}
