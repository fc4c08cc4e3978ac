import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import DiskImage

/// Chains of images that qemu-img moves and merges, against ours: both must say the same of every byte.
@Suite struct ChainTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    struct Case: CustomTestStringConvertible, Sendable {
        var clusterBits: Int
        var size: UInt64
        var baseFormat: String
        var isCompressed: Bool
        var testDescription: String {
            "2^\(clusterBits), \(size), on \(baseFormat)\(isCompressed ? ", compressed" : "")"
        }
    }
    static let cases: [Case] = [9, 12, 16, 21].flatMap { bits in
        ([1_000_448, 5 << 20] as [UInt64]).flatMap { size in
            [("raw", false), ("qcow2", false), ("qcow2", true)].map {
                Case(clusterBits: bits, size: size, baseFormat: $0.0, isCompressed: $0.1)
            }
        }
    }

    private func layer(_ name: String, _ format: DiskFormat = .qcow2) -> DiskLayer {
        DiskLayer(path: folder(name), format: format)
    }

    private func content(_ layers: DiskLayer...) throws -> [UInt8] {
        let disk = try DiskImage.open(layers, access: .readOnly)
        let bytes = try disk.read(count: Int(disk.virtualSize), at: 0)
        try disk.close()
        return bytes
    }

    /// base ← middle ← top, the upper two written by wander; the disk's content.
    private func makeChain(_ kind: Case) throws -> [UInt8] {
        var generator = SeededGenerator(seed: kind.size + UInt64(kind.clusterBits))
        var truth: [UInt8] = []
        // The base is shorter than the disk.
        while truth.count < 900_000 { truth += generator.bytes(40_000) }
        truth.removeLast(truth.count % 512)
        let raw = try folder.file("source.raw", truth)
        try Qemu.run(
            ["qemu-img", "convert", "-f", "raw", "-O", kind.baseFormat] + (kind.isCompressed ? ["-c"] : [])
                + [raw.string, folder("base").string])
        truth += [UInt8](repeating: 0, count: Int(kind.size) - truth.count)
        let baseFormat = DiskFormat(rawValue: kind.baseFormat) ?? .raw
        for (name, backing, format) in [("middle", "base", kind.baseFormat), ("top", "middle", "qcow2")] {
            try Qemu.img(
                "create", "-q", "-f", "qcow2", "-o", "cluster_size=\(1 << kind.clusterBits),lazy_refcounts=on", "-b",
                backing,
                "-F", format, folder(name).string, "\(kind.size)")
        }
        var layers = [layer("middle"), layer("base", baseFormat)]
        for _ in 0..<2 {
            let disk = try DiskImage.open(layers, access: .readWrite)
            for _ in 0..<12 {
                let bytes = generator.bytes(Int.random(in: 1...60_000, using: &generator))
                let offset = Int.random(in: 0...(truth.count - bytes.count), using: &generator)
                try disk.write(bytes, at: UInt64(offset))
                truth.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
            }
            let hole = Int.random(in: 0...(truth.count - 200_000), using: &generator)
            try disk.writeZeroes(at: UInt64(hole), count: 200_000, mayUnmap: true)
            truth.replaceSubrange(hole..<(hole + 200_000), with: [UInt8](repeating: 0, count: 200_000))
            try disk.close()
            layers.insert(layer("top"), at: 0)
        }
        return truth
    }

    @Test("what qemu-img rebases and commits reads as before, and stays sound", arguments: cases)
    func rebaseAndCommit(_ kind: Case) throws {
        let truth = try makeChain(kind)
        let base = layer("base", DiskFormat(rawValue: kind.baseFormat) ?? .raw)
        #expect(firstDifference(try content(layer("top"), layer("middle"), base), truth) == nil)
        try Qemu.check(folder("middle"))
        try Qemu.check(folder("top"))

        // A copy of the top moves down to the base; then it stands alone.
        _ = try folder.file("moved", folder.bytes("top"))
        try Qemu.img("rebase", "-f", "qcow2", "-b", "base", "-F", kind.baseFormat, folder("moved").string)
        #expect(firstDifference(try content(layer("moved"), base), truth) == nil)
        #expect(try DiskImage.check(layer("moved")).isSound)
        try Qemu.img("rebase", "-f", "qcow2", "-b", "", folder("moved").string)
        #expect(firstDifference(try content(layer("moved")), truth) == nil)
        #expect(try DiskImage.info(layer("moved")).qcow2?.backingName == nil)

        // Ours merged into a new image, theirs into the middle: the same disk.
        let source = try DiskImage.open([layer("top"), layer("middle"), base], access: .readOnly)
        try DiskImage.flatten(source, to: folder("flat"), options: QcowOptions(), compression: .none)
        try source.close()
        try Qemu.img("commit", "-q", "-d", "-f", "qcow2", folder("top").string)
        #expect(firstDifference(try content(layer("middle"), base), truth) == nil)
        #expect(try DiskImage.check(layer("middle")).isSound)
        try Qemu.img("compare", "-f", "qcow2", "-F", "qcow2", folder("flat").string, folder("middle").string)

        // And wander goes on writing to what qemu-img has merged.
        let disk = try DiskImage.open([layer("middle"), base], access: .readWrite)
        try disk.write([1, 2, 3], at: kind.size / 2)
        try disk.close()
        try Qemu.check(folder("middle"))
    }
}
