import SystemPackage
import TestSupport
import Testing

@testable import DiskImage

/// A qcow2 image built field by field from the specification, not by the code under test.
struct QcowFixture {
    var magic: UInt32 = 0x5146_49fb
    var version: UInt32 = 3
    var backingOffset: UInt64 = 0
    var backingCount: UInt32 = 0
    var clusterBits: UInt32 = 16
    var size: UInt64 = 1 << 20
    var encryption: UInt32 = 0
    var level1Count: UInt32 = 1
    var level1Offset: UInt64 = 3 << 16
    var refcountTableOffset: UInt64 = 1 << 16
    var refcountTableClusters: UInt32 = 1
    var snapshots: UInt32 = 0
    var snapshotsOffset: UInt64 = 0
    var incompatible: UInt64 = 0
    var compatible: UInt64 = 0
    var autoclear: UInt64 = 0
    var refcountOrder: UInt32 = 4
    var headerLength: UInt32 = 104
    /// Behind the header.
    var rest: [UInt8] = []

    /// Six clusters of 64 KiB: header, refcount table, refcount block, L1 table, and two more, all of them counted.
    func image(level1: [UInt64] = [], cluster4: [UInt64] = []) -> [UInt8] {
        var bytes: [UInt8] = []
        func add<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.bigEndian) { bytes += Array($0) } }
        add(magic)
        add(version)
        add(backingOffset)
        add(backingCount)
        add(clusterBits)
        add(size)
        add(encryption)
        add(level1Count)
        add(level1Offset)
        add(refcountTableOffset)
        add(refcountTableClusters)
        add(snapshots)
        add(snapshotsOffset)
        if version >= 3 {
            add(incompatible)
            add(compatible)
            add(autoclear)
            add(refcountOrder)
            add(headerLength)
        }
        bytes += rest
        func pad(_ cluster: Int) { bytes += [UInt8](repeating: 0, count: cluster << 16 - bytes.count) }
        pad(1)
        add(UInt64(2 << 16))
        pad(2)
        for _ in 0..<6 { add(UInt16(1)) }
        pad(3)
        for entry in level1 { add(entry) }
        pad(4)
        for entry in cluster4 { add(entry) }
        pad(5)
        bytes += [UInt8](repeating: 0xab, count: 65536)
        return bytes
    }
}

@Suite struct HeaderTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func open(_ bytes: [UInt8], _ access: DiskAccess = .readOnly) throws -> any BlockStorage {
        let path = try folder.file("image.qcow2", bytes)
        do {
            return try DiskImage.open([DiskLayer(path: path, format: .qcow2)], access: access)
        } catch DiskImageError.inFile(_, let error) { throw error }
    }

    @Test("reads an image built by hand from the specification")
    func wellFormed() throws {
        let image = QcowFixture().image(level1: [1 << 63 | 4 << 16], cluster4: [0, 1 << 63 | 5 << 16, 1])
        let disk = try open(image, .readWrite)
        #expect(disk.virtualSize == 1 << 20)
        #expect(try disk.read(count: 4, at: 65534) == [0, 0, 0xab, 0xab])
        #expect(try disk.read(count: 4, at: 131_070) == [0xab, 0xab, 0, 0])
        #expect(
            try disk.extent(at: 65536)
                == BlockExtent(offset: 65536, count: 65536, kind: .data, depth: 0, fileOffset: 5 << 16))
        try disk.close()
        try Qemu.check(folder("image.qcow2"))
        #expect(try DiskImage.check(DiskLayer(path: folder("image.qcow2"), format: .qcow2)).isSound)
    }

    static let refusals: [(DiskImageError, @Sendable (inout QcowFixture) -> Void)] = [
        (.notQcow2, { $0.magic = 0x5146_49fa }),
        (.unsupportedVersion(1), { $0.version = 1 }),
        (.unsupportedVersion(4), { $0.version = 4 }),
        (.invalidClusterBits(8), { $0.clusterBits = 8 }),
        (.invalidClusterBits(22), { $0.clusterBits = 22 }),
        (.invalidClusterBits(.max), { $0.clusterBits = .max }),
        (.encrypted, { $0.encryption = 2 }),
        (.unsupportedFeature("external data file"), { $0.incompatible = 1 << 2 }),
        (.unsupportedFeature("extended L2 entries"), { $0.incompatible = 1 << 4 }),
        (.unsupportedFeature("incompatible feature bit 63"), { $0.incompatible = 1 << 63 }),
        (
            .unsupportedFeature("time travel"),
            {
                $0.incompatible = 1 << 5
                $0.rest =
                    [0x68, 0x03, 0xf8, 0x57, 0, 0, 0, 48, 0, 5] + Array("time travel".utf8)
                    + [UInt8](repeating: 0, count: 35)
            }
        ),
        (.invalidHeader(field: "compression type", value: 0), { $0.incompatible = 1 << 3 }),
        (.invalidRefcountOrder(7), { $0.refcountOrder = 7 }),
        (.invalidHeader(field: "header length", value: 103), { $0.headerLength = 103 }),
        (.invalidHeader(field: "header length", value: 1 << 31), { $0.headerLength = 1 << 31 }),
        (.invalidHeader(field: "number of L1 entries", value: 0), { $0.level1Count = 0 }),
        (.tooLarge("L1 table in bytes", value: 8 * 0xffff_ffff, limit: 32 << 20), { $0.level1Count = .max }),
        (.invalidHeader(field: "L1 table offset", value: 0), { $0.level1Offset = 0 }),
        (.invalidHeader(field: "L1 table offset", value: 3 << 16 | 512), { $0.level1Offset = 3 << 16 | 512 }),
        (.invalidHeader(field: "L1 table offset", value: 1 << 55), { $0.level1Offset = 1 << 55 }),
        (.invalidHeader(field: "refcount table offset", value: .max), { $0.refcountTableOffset = .max }),
        (.invalidHeader(field: "number of refcount table clusters", value: 0), { $0.refcountTableClusters = 0 }),
        (
            .tooLarge("refcount table in bytes", value: 65536 * 0xffff_ffff, limit: 8 << 20),
            { $0.refcountTableClusters = .max }
        ),
        (.tooLarge("size in bytes", value: .max, limit: UInt64(Int64.max)), { $0.size = .max }),
        (.tooLarge("number of snapshots", value: 0xffff_ffff, limit: 65536), { $0.snapshots = .max }),
        (.backingNameTooLong(1024), { ($0.backingOffset, $0.backingCount) = (200, 1024) }),
        (.corrupt(.backingName, offset: 8), { ($0.backingOffset, $0.backingCount) = (65530, 10) }),
        (.corrupt(.backingName, offset: 8), { ($0.backingOffset, $0.backingCount) = (8, 10) }),
        (.corrupt(.extensions, offset: 104), { $0.rest = [1, 1, 1, 1, 0xff, 0xff, 0xff, 0xff] }),
    ]

    @Test("refuses headers that the format forbids or wander does not support", arguments: refusals.indices)
    func refuses(_ index: Int) throws {
        let (error, change) = Self.refusals[index]
        var fixture = QcowFixture()
        change(&fixture)
        #expect(throws: error) { _ = try open(fixture.image()) }
    }

    @Test("does not write to what it does not understand well enough")
    func readOnlyKinds() throws {
        var fixture = QcowFixture()
        fixture.version = 2
        #expect(throws: DiskImageError.notWritable(version: 2)) { _ = try open(fixture.image(), .readWrite) }
        fixture = QcowFixture()
        (fixture.snapshots, fixture.snapshotsOffset) = (1, 5 << 16)
        #expect(throws: DiskImageError.hasSnapshots(1)) { _ = try open(fixture.image(), .readWrite) }
        #expect(try open(fixture.image()).read(count: 1, at: 0) == [0])
        fixture = QcowFixture()
        fixture.incompatible = 2
        #expect(throws: DiskImageError.markedCorrupt) { _ = try open(fixture.image(), .readWrite) }
    }

    /// Entries that overlap a table, point outside, or are malformed. The place is that of the bad entry.
    static let badEntries: [(level1: UInt64, entries: [UInt64], error: DiskImageError)] = [
        (1 << 63 | 1 << 50, [], .corrupt(.level1Table, offset: 3 << 16)),
        (1 << 63 | 4 << 16 | 1, [], .corrupt(.level1Table, offset: 3 << 16)),
        (1 << 63 | 4 << 16 | 512, [], .corrupt(.level1Table, offset: 3 << 16)),
        (1 << 63 | 3 << 16, [], .corrupt(.level2Table, offset: 3 << 16)),
        (1 << 63 | 4 << 16, [1 << 63 | 0 << 16, 1 << 63 | 3 << 16], .corrupt(.dataCluster, offset: 4 << 16 + 8)),
        (1 << 63 | 4 << 16, [1 << 63 | 4 << 16], .corrupt(.dataCluster, offset: 4 << 16)),
        (1 << 63 | 4 << 16, [1 << 63 | 5 << 16, 1 << 63 | 5 << 16], .corrupt(.dataCluster, offset: 4 << 16 + 8)),
        (1 << 63 | 4 << 16, [1 << 63 | 6 << 16], .corrupt(.level2Table, offset: 4 << 16)),
        (1 << 63 | 4 << 16, [1 << 63 | 5 << 16 | 2], .corrupt(.level2Table, offset: 4 << 16)),
        (1 << 63 | 4 << 16, [1 << 62 | 1 << 50], .corrupt(.level2Table, offset: 4 << 16)),
        (1 << 63 | 4 << 16, [1 << 62 | 3 << 16], .corrupt(.compressedCluster, offset: 4 << 16)),
        (1 << 63 | 4 << 16, [3 << 62 | 5 << 16], .corrupt(.level2Table, offset: 4 << 16)),
    ]

    @Test("refuses to write to an image with bad tables, and says which entry is bad", arguments: badEntries.indices)
    func badTables(_ index: Int) throws {
        let bad = Self.badEntries[index]
        let image = QcowFixture().image(level1: [bad.level1], cluster4: bad.entries)
        #expect(throws: bad.error) { _ = try open(image, .readWrite) }
        let report = try DiskImage.check(DiskLayer(path: folder("image.qcow2"), format: .qcow2))
        #expect(report.corruptions > 0)
        // Reading either works or fails; it never leaves the file.
        let disk = try open(image)
        _ = try? disk.read(count: 1 << 20, at: 0)
        try disk.close()
    }

    @Test("a compressed cluster that is not deflate is an error, not garbage")
    func badCompression() throws {
        let image = QcowFixture().image(level1: [1 << 63 | 4 << 16], cluster4: [1 << 62 | 5 << 16])
        let disk = try open(image)
        #expect(throws: DiskImageError.corrupt(.compressedCluster, offset: 5 << 16)) {
            _ = try disk.read(count: 1, at: 0)
        }
    }

    @Test("a compressed cluster that cannot be read is lost alone: the image stays unmarked and writable")
    func badCompressionOfOne() throws {
        let path = folder("image.qcow2")
        let image = QcowFixture().image(level1: [1 << 63 | 4 << 16], cluster4: [1 << 62 | 5 << 16])
        let disk = try open(image, .readWrite)
        let lost = DiskImageError.corrupt(.compressedCluster, offset: 5 << 16)
        #expect(throws: lost) { _ = try disk.read(count: 1, at: 0) }
        // A part of it cannot be replaced either, since nobody knows the rest.
        #expect(throws: lost) { try disk.write([1], at: 100) }
        try disk.write([2], at: 1 << 16)
        try disk.write([UInt8](repeating: 3, count: 1 << 16), at: 0)
        try disk.close()
        let again = try DiskImage.open([DiskLayer(path: path, format: .qcow2)], access: .readWrite)
        #expect(try again.read(count: (1 << 16) + 1, at: 0) == [UInt8](repeating: 3, count: 1 << 16) + [2])
        try again.close()
        try Qemu.check(path)
    }
}
