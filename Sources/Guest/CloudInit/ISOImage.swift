/// A read-only file system of a few files in one folder, as ISO 9660 with Rock Ridge's names, which every system reads.
///
/// - SeeAlso: ECMA-119, IEEE P1281 (SUSP) and P1282 (RRIP).
struct ISOImage {
    static let sectorSize = 2048

    /// At most 32 characters.
    var label: String
    /// By name. What the names have in common must not be all of their first eight characters.
    var files: [String: [UInt8]]

    /// Where things are, in sectors: sixteen that the format leaves to systems, then these.
    private enum Place {
        static let volume = 16
        static let terminator = 17
        static let pathTable = 18
        static let reversedPathTable = 19
        static let folder = 20
        static let files = 21
    }

    /// The image: a whole number of sectors, the same for the same files.
    var bytes: [UInt8] {
        var start = Place.files
        var placed: [(name: String, start: Int, content: [UInt8])] = []
        for (name, content) in files.sorted(by: { $0.key < $1.key }) {
            placed.append((name, start, content))
            start += Self.sectors(content.count)
        }
        var image: [UInt8] = []
        image.reserveCapacity(start * Self.sectorSize)
        image += [UInt8](repeating: 0, count: Place.volume * Self.sectorSize)
        image += Self.sector(volume(sectors: start))
        image += Self.sector([255] + Array("CD001".utf8) + [1])
        image += Self.sector(Self.pathTable(Self.little(UInt32(Place.folder)), Self.little(UInt16(1))))
        image += Self.sector(Self.pathTable(Self.little(UInt32(Place.folder)).reversed(), [0, 1]))
        let entries = placed.map { file in
            Self.record(
                Self.identifier(file.name), start: file.start, count: file.content.count, isFolder: false,
                extensions: Self.attributes(mode: 0o100444) + Self.longName(file.name))
        }
        image += Self.sector(
            Self.folderRecord([0], extensions: Self.root) + Self.folderRecord([1]) + entries.flatMap(\.self))
        for file in placed { image += Self.padded(file.content) }
        return image
    }

    private static func sectors(_ count: Int) -> Int { (count + sectorSize - 1) / sectorSize }
    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: sectors(bytes.count) * sectorSize - bytes.count)
    }
    private static func sector(_ bytes: [UInt8]) -> [UInt8] { padded(bytes) }

    private static func little(_ number: some FixedWidthInteger) -> [UInt8] {
        (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
    /// A number in both byte orders, as the format has most of them.
    private static func both(_ number: some FixedWidthInteger) -> [UInt8] { little(number) + little(number).reversed() }
    private static func text(_ text: String, _ count: Int) -> [UInt8] {
        Array(text.utf8.prefix(count)) + [UInt8](repeating: 0x20, count: max(0, count - text.utf8.count))
    }

    // MARK: - Descriptors (ECMA-119, section 8.4)

    private func volume(sectors: Int) -> [UInt8] {
        let noDate = [UInt8](repeating: 0x30, count: 16) + [0]
        var bytes: [UInt8] = [1] + Array("CD001".utf8) + [1, 0]
        bytes += Self.text("", 32) + Self.text(label, 32) + [UInt8](repeating: 0, count: 8)
        bytes += Self.both(UInt32(sectors)) + [UInt8](repeating: 0, count: 32)
        bytes += Self.both(UInt16(1)) + Self.both(UInt16(1)) + Self.both(UInt16(Self.sectorSize))
        bytes += Self.both(UInt32(10))
        bytes += Self.little(UInt32(Place.pathTable)) + [0, 0, 0, 0]
        bytes += Self.little(UInt32(Place.reversedPathTable)).reversed() + [0, 0, 0, 0]
        bytes += Self.folderRecord([0])
        bytes += Self.text("", 4 * 128) + Self.text("", 3 * 37)
        bytes += noDate + noDate + noDate + noDate + [1]
        return bytes
    }

    private static func pathTable(_ start: [UInt8], _ parent: [UInt8]) -> [UInt8] { [1, 0] + start + parent + [0, 0] }

    // MARK: - The folder (ECMA-119, section 9.1)

    private static func record(
        _ identifier: [UInt8], start: Int, count: Int, isFolder: Bool, extensions: [UInt8] = []
    ) -> [UInt8] {
        let padding: [UInt8] = identifier.count.isMultiple(of: 2) ? [0] : []
        let date: [UInt8] = [80, 1, 1, 0, 0, 0, 0]
        var bytes: [UInt8] = [0] + both(UInt32(start)) + both(UInt32(count)) + date
        bytes += [isFolder ? 2 : 0, 0, 0] + both(UInt16(1)) + [UInt8(identifier.count)] + identifier + padding
        bytes += extensions + (extensions.count.isMultiple(of: 2) ? [] : [0])
        return [UInt8(bytes.count + 1)] + bytes
    }

    private static func folderRecord(_ identifier: [UInt8], extensions: [UInt8] = []) -> [UInt8] {
        record(identifier, start: Place.folder, count: sectorSize, isFolder: true, extensions: extensions)
    }

    /// `user-data` as `USER_DAT.;1`: what the format allows without extensions.
    private static func identifier(_ name: String) -> [UInt8] {
        let letters = name.uppercased().utf8.prefix(8).map { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) ? byte : UInt8(ascii: "_")
        }
        return letters + Array(".;1".utf8)
    }

    // MARK: - Rock Ridge

    /// Says in the folder's first record that extensions follow, and which.
    private static let root: [UInt8] =
        Array("SP".utf8) + [7, 1, 0xbe, 0xef, 0] + attributes(mode: 0o40555)
        + Array("ER".utf8) + [18, 1, 10, 0, 0, 1] + Array("RRIP_1991A".utf8)

    private static func attributes(mode: UInt32) -> [UInt8] {
        Array("PX".utf8) + [36, 1] + both(mode) + both(UInt32(1)) + both(UInt32(0)) + both(UInt32(0))
    }
    private static func longName(_ name: String) -> [UInt8] {
        Array("NM".utf8) + [UInt8(5 + name.utf8.count), 1, 0] + Array(name.utf8)
    }
}
