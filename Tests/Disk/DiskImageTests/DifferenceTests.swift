import DiskImage
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

/// What differs between two disks, as a layer of its own.
@Suite struct DifferenceTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func layer(_ name: String) -> DiskLayer { DiskLayer(path: folder(name), format: .qcow2) }

    /// A parent with data, and an overlay that changes, clears and discards some of it.
    private func makeChain(grown: Bool) throws -> [DiskLayer] {
        var generator = SeededGenerator(seed: 7)
        var content: [UInt8] = []
        while content.count < 3 << 20 { content += generator.bytes(60_000) + [UInt8](repeating: 0, count: 70_000) }
        let raw = try folder.file("base.raw", Array(content.prefix(3 << 20)))
        try Qemu.img("convert", "-f", "raw", "-O", "qcow2", raw.string, folder("base.qcow2").string)
        try Qemu.img(
            "create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", folder("top.qcow2").string,
            grown ? "5M" : "3M")
        try Qemu.io(
            folder("top.qcow2"),
            [
                "write -P 7 100k 5k", "write -z 600k 100k", "discard 1M 256k", "write -P 0 2M 64k",
                "write -P 1 2900k 100k",
            ]
                + (grown ? ["write -P 3 4M 10k"] : []))
        return [layer("top.qcow2"), layer("base.qcow2")]
    }

    @Test(
        "the layer over the parent gives the same disk and flattens to the same bytes; it holds little else",
        arguments: [false, true], [true, false])
    func roundTrip(grown: Bool, knowsDepth: Bool) throws {
        let chain = try makeChain(grown: grown)
        let source = try DiskImage.open(chain, access: .readOnly)
        let parent = try DiskImage.open([chain[1]], access: .readOnly)
        for name in ["changes.qcow2", "again.qcow2"] {
            try DiskImage.difference(of: source, from: parent, sharedDepth: knowsDepth ? 1 : nil, to: folder(name))
        }
        #expect(try folder.bytes("changes.qcow2") == folder.bytes("again.qcow2"))
        let joined = try DiskImage.open([layer("changes.qcow2"), chain[1]], access: .readOnly)
        #expect(try DiskImage.compare(source, joined).isEqual)
        #expect(joined.virtualSize == source.virtualSize)
        try DiskImage.flatten(source, to: folder("one.qcow2"))
        try DiskImage.flatten(joined, to: folder("other.qcow2"))
        #expect(try folder.bytes("one.qcow2") == folder.bytes("other.qcow2"))
        // Data: 5, 100 and perhaps 10 KiB, in blocks of 4 KiB; the rest is cleared or tables.
        let size = try #require(try FileSystem.status(folder("changes.qcow2"))).size
        #expect(size < 200 << 10)
        #expect(try DiskImage.check(layer("changes.qcow2")).isSound)
    }

    @Test("equal disks differ in nothing")
    func nothing() throws {
        let chain = try makeChain(grown: false)
        let disk = try DiskImage.open(chain, access: .readOnly)
        try DiskImage.flatten(disk, to: folder("flat.qcow2"))
        let flat = try DiskImage.open([layer("flat.qcow2")], access: .readOnly)
        try DiskImage.difference(of: disk, from: flat, sharedDepth: nil, to: folder("none.qcow2"))
        let report = try DiskImage.check(layer("none.qcow2"))
        #expect(report.dataClusters == 0 && report.zeroClusters == 0)
    }
}
