import DiskImage
import SystemPackage
import TestSupport
import Testing

@Suite struct OverlayTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        var bytes: [UInt8] = []
        while bytes.count < count { bytes += generator.bytes(4096) }
        return Array(bytes[..<count])
    }

    @Test("an overlay reads as its backing file until it is written, and the backing file never changes")
    func copyOnWrite() throws {
        var truth = pattern(3 << 20)
        let base = try folder.file("base.raw", truth)
        try DiskImage.createOverlay(at: folder("disk.qcow2"), backing: "base.raw", backingFormat: .raw)
        let layers = [
            DiskLayer(path: folder("disk.qcow2"), format: .qcow2), DiskLayer(path: base, format: .raw),
        ]
        try Qemu.check(folder("disk.qcow2"))
        try Qemu.compare(folder("disk.qcow2"), with: truth, in: folder)

        let disk = try DiskImage.open(layers, access: .readWrite)
        #expect(disk.virtualSize == 3 << 20)
        #expect(firstDifference(try disk.read(count: 3 << 20, at: 0), truth) == nil)
        let change = pattern(200_000, seed: 2)
        try disk.write(change, at: 70_001)
        truth.replaceSubrange(70_001..<270_001, with: change)
        #expect(firstDifference(try disk.read(count: 3 << 20, at: 0), truth) == nil)
        try disk.close()

        try Qemu.check(folder("disk.qcow2"))
        try Qemu.compare(folder("disk.qcow2"), with: truth, in: folder)
        #expect(try folder.bytes("base.raw") == pattern(3 << 20))
        let again = try DiskImage.open(layers, access: .readOnly)
        #expect(firstDifference(try again.read(count: 3 << 20, at: 0), truth) == nil)
        #expect(throws: DiskImageError.readOnly) { try again.write([1], at: 0) }
        try again.close()
        #expect(throws: DiskImageError.closed) { _ = try again.read(count: 1, at: 0) }
    }

    @Test("what is discarded in an overlay of small clusters is gone to the block, by us and by QEMU")
    func smallClusters() throws {
        var truth = pattern(1 << 20)
        let base = try folder.file("base.raw", truth)
        let layers = [
            DiskLayer(path: folder("disk.qcow2"), format: .qcow2), DiskLayer(path: base, format: .raw),
        ]
        try DiskImage.createOverlay(at: layers[0].path, backing: "base.raw", backingFormat: .raw, clusterBits: 12)
        let disk = try DiskImage.open(layers, access: .readWrite)
        try disk.discard(at: 5 * 4096, count: 4096)
        try disk.close()
        try Qemu.run([
            "qemu-io", "-f", "qcow2", "-d", "unmap", "-c", "discard \(9 * 4096) 8192", layers[0].path.string,
        ])
        truth.replaceSubrange(5 * 4096..<6 * 4096, with: [UInt8](repeating: 0, count: 4096))
        truth.replaceSubrange(9 * 4096..<11 * 4096, with: [UInt8](repeating: 0, count: 8192))
        try Qemu.check(layers[0].path)
        try Qemu.compare(layers[0].path, with: truth, in: folder)
        let again = try DiskImage.open(layers, access: .readOnly)
        #expect(firstDifference(try again.read(count: 1 << 20, at: 0), truth) == nil)
        try again.close()
    }

    @Test("an overlay larger than its backing file reads zeroes behind it")
    func largerThanBacking() throws {
        let base = try folder.file("base.raw", pattern(100_000))
        try DiskImage.createOverlay(
            at: folder("disk.qcow2"), backing: base, backingFormat: .raw, virtualSize: 1 << 20)
        let disk = try DiskImage.open(
            [DiskLayer(path: folder("disk.qcow2"), format: .qcow2), DiskLayer(path: base, format: .raw)],
            access: .readWrite)
        // A write to the cluster in which the backing file ends copies what there is and zeroes.
        try disk.write([7, 7, 7], at: 120_000)
        try disk.close()
        var truth = pattern(100_000) + [UInt8](repeating: 0, count: (1 << 20) - 100_000)
        truth.replaceSubrange(120_000..<120_003, with: [7, 7, 7])
        try Qemu.check(folder("disk.qcow2"))
        try Qemu.compare(folder("disk.qcow2"), with: truth, in: folder)
    }

    @Test("growing a disk shows zeroes, never what a longer backing file holds there")
    func growOverLongerBacking() throws {
        let base = try folder.file("base.raw", pattern(1 << 20))
        try DiskImage.createOverlay(
            at: folder("disk.qcow2"), backing: base, backingFormat: .raw, virtualSize: 300_000)
        let layers = [DiskLayer(path: folder("disk.qcow2"), format: .qcow2), DiskLayer(path: base, format: .raw)]
        let disk = try DiskImage.open(layers, access: .readWrite)
        try disk.write([9], at: 299_999)
        try disk.resize(to: 2 << 30)
        #expect(throws: DiskImageError.cannotShrink(from: 2 << 30, to: 5)) { try disk.resize(to: 5) }
        var truth = Array(pattern(1 << 20)[..<300_000]) + [UInt8](repeating: 0, count: 1 << 20)
        truth[299_999] = 9
        #expect(firstDifference(try disk.read(count: truth.count, at: 0), truth) == nil)
        try disk.write([1, 2, 3], at: (2 << 30) - 3)
        try disk.close()
        try Qemu.check(folder("disk.qcow2"))
        let again = try DiskImage.open(layers, access: .readOnly)
        #expect(try again.read(count: 3, at: (2 << 30) - 3) == [1, 2, 3])
        try again.close()
    }

    @Test("a second writer, and a writer beside a reader, is refused")
    func locking() throws {
        try DiskImage.create(at: folder("disk.qcow2"), format: .qcow2, virtualSize: 1 << 20)
        let layers = [DiskLayer(path: folder("disk.qcow2"), format: .qcow2)]
        let disk = try DiskImage.open(layers, access: .readWrite)
        #expect(throws: DiskImageError.locked(folder("disk.qcow2"))) {
            _ = try DiskImage.open(layers, access: .readOnly)
        }
        #expect(throws: DiskImageError.locked(folder("disk.qcow2"))) {
            _ = try DiskImage.open(layers, access: .readWrite)
        }
        #expect(throws: Qemu.Failure.self) { try Qemu.io(folder("disk.qcow2"), ["write 0 512"]) }
        #expect(throws: Qemu.Failure.self) { try Qemu.check(folder("disk.qcow2")) }
        try disk.close()
        // Readers of either program share an image; none of them shares it with a writer.
        let first = try DiskImage.open(layers, access: .readOnly)
        let second = try DiskImage.open(layers, access: .readOnly)
        try Qemu.check(folder("disk.qcow2"))
        #expect(throws: Qemu.Failure.self) { try Qemu.io(folder("disk.qcow2"), ["write 0 512"]) }
        #expect(throws: DiskImageError.locked(folder("disk.qcow2"))) {
            _ = try DiskImage.open(layers, access: .readWrite)
        }
        try first.close()
        try second.close()
        try DiskImage.open(layers, access: .readWrite).close()
    }

    @Test("the backing file is the one that was given, and only if the image was made on it")
    func backingIsCompared() throws {
        let base = try folder.file("base.raw", pattern(100_000))
        let other = try folder.file("other.raw", pattern(100_000))
        let path = folder("disk.qcow2")
        try DiskImage.createOverlay(at: path, backing: "base.raw", backingFormat: .raw)
        let top = DiskLayer(path: path, format: .qcow2)
        #expect(throws: DiskImageError.inFile(path, .backingMissing(name: "base.raw"))) {
            _ = try DiskImage.open([top], access: .readOnly)
        }
        #expect(throws: DiskImageError.inFile(path, .backingMismatch(recorded: "base.raw", given: other))) {
            _ = try DiskImage.open([top, DiskLayer(path: other, format: .raw)], access: .readOnly)
        }
        // As where two layers were joined and the former one is still there.
        let placed = DiskLayer(path: path, format: .qcow2, isPlacedByRecord: true)
        try DiskImage.open([placed, DiskLayer(path: other, format: .raw)], access: .readOnly).close()
        #expect(throws: DiskImageError.alreadyExists(path)) {
            try DiskImage.createOverlay(at: path, backing: base, backingFormat: .raw)
        }
        try DiskImage.open([top, DiskLayer(path: base, format: .raw)], access: .readOnly).close()
    }
}
