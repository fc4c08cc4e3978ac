import DiskImage
import SystemPackage
import TestSupport
import Testing

/// Random operations on a disk and on a flat array: they must always agree, and qemu-img must agree at the end.
@Suite struct ModelTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var seed: UInt64
        var clusterSize: Int
        var backing: Backing
        enum Backing: String, Sendable, CaseIterable { case none, raw, deflate, zstd, chain }
        var testDescription: String { "clusters of \(clusterSize), backing \(backing), seed \(seed)" }
    }
    static let cases = [512, 4096, 65536].flatMap { size in
        Case.Backing.allCases.map {
            Case(seed: UInt64(size) &* 31 + UInt64($0.rawValue.count), clusterSize: size, backing: $0)
        }
    }

    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    /// Makes the images behind the disk, by qemu-img.
    private func makeBacking(_ kind: Case.Backing, _ content: [UInt8]) throws -> [DiskLayer] {
        if kind == .none { return [] }
        let raw = try folder.file("base.raw", content)
        if kind == .raw { return [DiskLayer(path: raw, format: .raw)] }
        let base = folder("base.qcow2")
        let type = kind == .zstd ? "zstd" : "zlib"
        try Qemu.img(
            "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", "compression_type=\(type)", raw.string, base.string)
        if kind != .chain { return [DiskLayer(path: base, format: .qcow2)] }
        let middle = folder("middle.qcow2")
        try Qemu.img(
            "create", "-f", "qcow2", "-o", "cluster_size=8192", "-b", "base.qcow2", "-F", "qcow2", middle.string)
        try Qemu.io(middle, ["write -P 33 100k 200k", "write -z 512k 64k", "discard 1M 128k"])
        return [DiskLayer(path: middle, format: .qcow2), DiskLayer(path: base, format: .qcow2)]
    }

    @Test("agrees with a flat array", arguments: cases)
    func agreesWithArray(_ test: Case) throws {
        var generator = SeededGenerator(seed: test.seed)
        let baseSize = 2_000_000
        let size = 3_000_000
        let layers = try makeBacking(test.backing, generator.bytes(4096 * 250) + generator.bytes(baseSize - 4096 * 250))
        let path = folder("disk.qcow2")
        var create = ["qemu-img", "create", "-f", "qcow2", "-o", "lazy_refcounts=on,cluster_size=\(test.clusterSize)"]
        if let first = layers.first { create += ["-b", first.path.string, "-F", first.format.rawValue] }
        try Qemu.run(create + [path.string, "\(size)"])
        let all = [DiskLayer(path: path, format: .qcow2)] + layers

        let before = try DiskImage.open(all, access: .readOnly, cacheBytes: 1)
        var truth = try before.read(count: size, at: 0)
        try before.close()
        try Qemu.compare(path, with: truth, in: folder)
        var disk = try DiskImage.open(all, access: .readWrite, cacheBytes: 1)
        for step in 0..<400 {
            let count = Int.random(in: 1...(Bool.random(using: &generator) ? 6000 : 300_000), using: &generator)
            let offset = Int.random(in: 0...(size - count), using: &generator)
            let range = offset..<(offset + count)
            switch Int.random(in: 0..<20, using: &generator) {
            case 0..<9:
                let bytes = generator.bytes(count)
                try disk.write(bytes, at: UInt64(offset))
                truth.replaceSubrange(range, with: bytes)
            case 9..<15:
                let difference = firstDifference(try disk.read(count: count, at: UInt64(offset)), Array(truth[range]))
                #expect(difference == nil, "step \(step): reading \(range)")
            case 15, 16:
                try disk.writeZeroes(at: UInt64(offset), count: UInt64(count), mayUnmap: step % 2 == 0)
                truth.replaceSubrange(range, with: [UInt8](repeating: 0, count: count))
            case 17:
                try disk.discard(at: UInt64(offset), count: UInt64(count))
                let now = try disk.read(count: count, at: UInt64(offset))
                // Each byte is as before or zero.
                #expect(zip(now, truth[range]).allSatisfy { $0 == $1 || $0 == 0 }, "step \(step): discarding \(range)")
                truth.replaceSubrange(range, with: now)
            case 18: try disk.flush()
            default:
                try disk.close()
                disk = try DiskImage.open(all, access: .readWrite, cacheBytes: 1)
            }
        }
        #expect(firstDifference(try disk.read(count: size, at: 0), truth) == nil)
        try disk.close()
        try Qemu.check(path)
        try Qemu.compare(path, with: truth, in: folder)
    }
}
