import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import DiskImage

/// Images that qemu-img and qemu-io made, in all their kinds: read, changed, and looked at by qemu-img again.
@Suite struct DifferentialTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    struct Kind: CustomTestStringConvertible, Sendable {
        var options: String
        var isCompressed = false
        var testDescription: String { options + (isCompressed ? ", compressed" : "") }
    }
    static let kinds: [Kind] =
        [9, 10, 13, 16, 18, 21].flatMap { bits in
            let size = "cluster_size=\(1 << bits)"
            return [
                Kind(options: size), Kind(options: size + ",compat=0.10", isCompressed: true),
                Kind(options: size + ",compression_type=zstd", isCompressed: true),
            ]
        }
        + [1, 2, 4, 8, 32, 64].map { Kind(options: "cluster_size=1024,refcount_bits=\($0)", isCompressed: $0 == 8) }
        + ["preallocation=metadata", "preallocation=falloc", "lazy_refcounts=on"].map { Kind(options: $0) }

    @Test("reads and changes what qemu-img made", arguments: kinds)
    func readsAndWrites(_ kind: Kind) throws {
        var generator = SeededGenerator(seed: UInt64(kind.options.count))
        var content: [UInt8] = []
        while content.count < 1_200_000 { content += generator.bytes(30_000) }
        // Disks are whole sectors to the other program.
        content.removeLast(content.count % 512)
        let raw = try folder.file("source.raw", content)
        let path = folder("disk.qcow2")
        try Qemu.run(
            ["qemu-img", "convert", "-f", "raw", "-O", "qcow2"] + (kind.isCompressed ? ["-c"] : [])
                + ["-o", kind.options, raw.string, path.string])
        let layer = DiskLayer(path: path, format: .qcow2)
        let report = try DiskImage.check(layer)
        #expect(report.isSound, "\(report.findings)")
        #expect((report.compressedClusters > 0) == kind.isCompressed)
        let disk = try DiskImage.open([layer], access: .readOnly)
        #expect(firstDifference(try disk.read(count: content.count, at: 0), content) == nil)
        for _ in 0..<50 {
            let count = Int.random(in: 1...50_000, using: &generator)
            let offset = Int.random(in: 0...(content.count - count), using: &generator)
            let found = try disk.read(count: count, at: UInt64(offset))
            #expect(firstDifference(found, Array(content[offset..<(offset + count)])) == nil)
        }
        try disk.close()
        guard !kind.options.contains("compat=0.10") else {
            #expect(throws: DiskImageError.inFile(path, .notWritable(version: 2))) {
                _ = try DiskImage.open([layer], access: .readWrite)
            }
            return
        }
        let writable = try DiskImage.open([layer], access: .readWrite)
        for _ in 0..<30 {
            let bytes = generator.bytes(Int.random(in: 1...40_000, using: &generator))
            let offset = Int.random(in: 0...(content.count - bytes.count), using: &generator)
            try writable.write(bytes, at: UInt64(offset))
            content.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
        }
        try writable.close()
        try Qemu.check(path)
        try Qemu.compare(path, with: content, in: folder)
    }

    @Test("writes to clusters that are zero, set aside, or discarded, as qemu-io left them")
    func preallocatedZeroes() throws {
        let path = folder("disk.qcow2")
        let layer = DiskLayer(path: path, format: .qcow2)
        try Qemu.img("create", "-f", "qcow2", path.string, "4M")
        try Qemu.io(path, ["write -P 1 0 2M", "write -z 128k 256k", "write -z -u 512k 128k", "discard 1M 256k"])
        var truth = try DiskImage.open([layer], access: .readOnly).read(count: 4 << 20, at: 0)
        #expect(truth[0] == 1 && truth[200_000] == 0 && truth[600_000] == 0 && truth[1_100_000] == 0)
        let disk = try DiskImage.open([layer], access: .readWrite)
        for offset in [130_000, 250_000, 520_000, 1_060_000, 3_000_000] {
            let bytes = [UInt8](repeating: 9, count: 70_000)
            try disk.write(bytes, at: UInt64(offset))
            truth.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
        }
        try disk.close()
        try Qemu.check(path)
        try Qemu.compare(path, with: truth, in: folder)
    }

    @Test("recovers an image that a killed QEMU left dirty")
    func dirtyFromQemu() throws {
        let path = folder("disk.qcow2")
        let layer = DiskLayer(path: path, format: .qcow2)
        try Qemu.img("create", "-f", "qcow2", "-o", "lazy_refcounts=on", path.string, "4M")
        // `abort` ends it as a crash would, behind a flush.
        _ = try? Qemu.run(
            ["qemu-io", "-f", "qcow2", "-c", "write -P 5 100k 300k", "-c", "flush", "-c", "abort", path.string])
        #expect(try DiskImage.check(layer).isDirty)
        let disk = try DiskImage.open([layer], access: .readWrite)
        #expect(try disk.read(count: 307_200, at: 102_400).allSatisfy { $0 == 5 })
        try disk.close()
        #expect(try DiskImage.check(layer).isSound)
        try Qemu.check(path)
    }

    @Test("after a resize by either program both agree")
    func resize() throws {
        let path = folder("disk.qcow2")
        let layer = DiskLayer(path: path, format: .qcow2)
        try Qemu.img("create", "-f", "qcow2", "-o", "cluster_size=512,lazy_refcounts=on", path.string, "100k")
        for size in [200_000, 3_000_064, 5 << 20] {
            let disk = try DiskImage.open([layer], access: .readWrite)
            try disk.resize(to: UInt64(size))
            try disk.write([1, 2, 3], at: UInt64(size) - 3)
            try disk.close()
            try Qemu.check(path)
        }
        try Qemu.img("resize", "-f", "qcow2", path.string, "64M")
        let disk = try DiskImage.open([layer], access: .readWrite)
        #expect(disk.virtualSize == 64 << 20)
        #expect(try disk.read(count: 5, at: (5 << 20) - 3) == [1, 2, 3, 0, 0])
        try disk.write([4], at: (64 << 20) - 1)
        try disk.close()
        try Qemu.check(path)
    }

    @Test("a raw disk stays raw, whatever a guest writes to its first sectors")
    func rawIsNeverGuessed() throws {
        let path = folder("disk.raw")
        try DiskImage.create(at: path, format: .raw, virtualSize: 1 << 20)
        let header = try DiskImage.emptyImage(QcowOptions(), virtualSize: 1 << 30, backing: ("/etc/passwd", .raw))
        let layer = DiskLayer(path: path, format: .raw)
        let disk = try DiskImage.open([layer], access: .readWrite)
        try disk.write(header[..<4096].map(\.self), at: 0)
        try disk.close()
        let again = try DiskImage.open([layer], access: .readOnly)
        #expect(again.virtualSize == 1 << 20)
        #expect(try again.read(count: 4, at: 0) == [0x51, 0x46, 0x49, 0xfb])
    }

    @Test("an image of terabytes of holes and a full L1 table takes bounded time")
    func hugeSparseImage() throws {
        // Each L1 entry has a table of its own, in a hole of the file.
        let entries = 1 << 18
        var fixture = QcowFixture()
        (fixture.size, fixture.level1Count, fixture.level1Offset) = (1 << 47, UInt32(entries), 8 << 16)
        let path = try folder.file("disk.qcow2", fixture.image())
        let file = try ImageFile(path, access: .readWrite)
        var table: [UInt8] = []
        for index in 0..<entries { table += (UInt64(1) << 63 | (64 + UInt64(index)) << 16).bigEndianBytes }
        try file.write(table, at: 8 << 16)
        try file.truncate(to: (64 + UInt64(entries)) << 16)
        file.unlock()
        let started = MonotonicClock.now
        let report = try DiskImage.check(DiskLayer(path: path, format: .qcow2))
        #expect(report.corruptions == 0)
        #expect(report.refcountsTooLow == UInt64(entries) + 32)
        // Reading all of these tables would take minutes.
        #expect(MonotonicClock.now.milliseconds(since: started) < 60_000)
    }
}
