import Digest
import DiskImage
import LinuxSystem
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import BoxFormat

/// Disk images that are no boxes: as they are, packed, in an archive, or in another program's format.
@Suite struct PlainImageTests {
    let folder: TemporaryFolder
    let store: BoxStore
    let options: BoxStore.AddOptions

    init() throws {
        folder = try TemporaryFolder()
        store = BoxStore(root: folder.path.appending("store"))
        var options = BoxStore.AddOptions()
        options.name = try BoxName("team/base")
        self.options = options
    }

    /// A disk with a boot sector, a megabyte of hole, and something behind it.
    static let raw: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        bytes.replaceSubrange(510..<512, with: [0x55, 0xaa])
        return bytes + Array("the end of the disk".utf8) + [UInt8](repeating: 0, count: 493)
    }()

    private func nothingIsLeft() throws -> Bool {
        try store.list().boxes.isEmpty && FileSystem.list(store.staging).isEmpty
    }

    @Test(
        "an image whose tables lead beyond its end is refused, packed, in an archive or not, and leaves nothing",
        arguments: ["-", "gzip", "tar"])
    func cutShort(form: String) throws {
        var image = QcowFixture.image()
        // The first entry of the L1 table: behind the end, as where the rest of a download is missing.
        image.replaceSubrange(3 << 12..<3 << 12 + 8, with: [0x80, 0, 0, 0, 0, 0x40, 0, 0])
        var file = try folder.file("image", image)
        if form == "gzip" { file = try folder.file("image.gz", folder.run("gzip", "-c", "image")) }
        if form == "tar" {
            var tar = TarFixture()
            tar.add("image", image)
            file = try folder.file("image.tar", tar.archive)
        }
        let error = #expect(throws: BoxError.self) { try store.add(file, options) }
        guard case .invalidDisk(_, .damaged(1))? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try nothingIsLeft())
    }

    @Test(
        "an image is the same in the store, however it was packed; its file's digest is what a lock pins",
        arguments: ["-", "gzip", "zstd", "xz", "bzip2"], [DiskFormat.raw, .qcow2])
    func packed(program: String, format: DiskFormat) throws {
        let image = format == .raw ? Self.raw : QcowFixture.image()
        // Names say nothing.
        var file = try folder.file("image.txt", image)
        if program != "-" {
            file = try folder.file("image.png", folder.run(program, "-c", "image.txt"))
        }
        var known = options
        known.facts = ImageFacts()
        known.facts?.user = "debian"
        known.facts?.cloudInit = true
        known.facts?.firmware = .uefi
        known.facts?.smallestMemory = 512 << 20
        let box = try store.add(file, known).box
        #expect(box.digest == SHA256Digest(of: try FileSystem.read(file)))
        #expect(box.diskDigest == SHA256Digest(of: image))
        #expect(box.disk.format == format && box.disk.virtualSize == (format == .raw ? UInt64(image.count) : 1 << 30))
        #expect(try FileSystem.read(box.disk.path) == image)
        #expect(box.user == "debian" && box.cloudInit && box.firmware == .uefi && box.smallestMemory == 512 << 20)
        let status = try #require(try FileSystem.status(box.disk.path))
        #expect(status.permissions == 0o444)
        if format == .raw { #expect(status.allocated < 100_000, "zeros are holes") }
        try store.verify(box)
    }

    @Test("an archive without metadata is its one image, wherever it lies in it", arguments: ["-", "gzip", "xz"])
    func archived(program: String) throws {
        var tar = TarFixture()
        tar.add("box.img/", kind: .directory)
        tar.add("box.img/disk.raw", Self.raw)
        tar.add("README", Array("an image".utf8))
        var file = try folder.file("image", tar.archive)
        if program != "-" { file = try folder.file("packed", folder.run(program, "-c", "image")) }
        let box = try store.add(file, options).box
        #expect(box.digest == SHA256Digest(of: try FileSystem.read(file)))
        #expect(try FileSystem.read(box.disk.path) == Self.raw)
        #expect(try TemporaryFolder.tree(box.directory) == ["box.img"])
        try store.verify(box)
    }

    @Test("an archive of several images, or of none, is refused")
    func wrongArchives() throws {
        var several = TarFixture()
        several.add("a.raw", Self.raw)
        several.add("b.qcow2", QcowFixture.image())
        let file = try folder.file("several", several.archive)
        #expect(throws: BoxError.severalImages(["a.raw", "b.qcow2"])) { try store.add(file, options) }
        var none = TarFixture()
        none.add("README", [1])
        let other = try folder.file("none", none.archive)
        #expect(throws: BoxError.missingMetadata) { try store.add(other, options) }
        #expect(try nothingIsLeft())
    }

    @Test("what is packed twice is not unpacked twice to see what it is")
    func packedTwice() throws {
        _ = try folder.file("image", Self.raw)
        _ = try folder.file("image.gz", folder.run("gzip", "-c", "image"))
        let file = try folder.file("image.gz.gz", folder.run("gzip", "-c", "image.gz"))
        #expect(throws: BoxError.self) { try store.add(file, options) }
        #expect(try nothingIsLeft())
    }

    @Test("what is packed is bounded, and whole")
    func bounds() throws {
        var disk = Self.raw
        disk.replaceSubrange(4096..<(1 << 20), with: repeatElement(7, count: (1 << 20) - 4096))
        _ = try folder.file("disk", disk)
        let bomb = try folder.file("bomb", folder.run("gzip", "-c", "disk"))
        var strict = options
        strict.limits.alwaysAllowed = 1 << 16
        strict.limits.ratio = 2
        let size = UInt64(try FileSystem.read(bomb).count)
        #expect(
            throws: BoxError.tooMuchData(
                limit: ByteCount(max(1 << 16, 2 * size)), what: "data for an archive of its size")
        ) {
            try store.add(bomb, strict)
        }
        let short = try folder.file("short", Array(FileSystem.read(bomb).dropLast(400)))
        let error = #expect(throws: BoxError.self) { try store.add(short, options) }
        guard case .unreadable(short, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        var digest = options
        digest.checksums = [ExpectedChecksum(SHA256Digest(of: disk))]
        #expect(throws: BoxError.self, "the checksum is the file's, not the image's") { try store.add(bomb, digest) }
        #expect(try nothingIsLeft())
        #expect(try store.add(bomb, options).box.diskDigest == SHA256Digest(of: disk))
    }

    @Test("other programs' images are converted", arguments: ["vmdk", "vdi"])
    func converted(format: String) throws {
        _ = try folder.file("disk", Self.raw)
        try folder.run("qemu-img", "convert", "-f", "raw", "-O", format, "disk", "image")
        let file = folder.path.appending("image")
        let box = try store.add(file, options).box
        #expect(box.digest == SHA256Digest(of: try FileSystem.read(file)))
        #expect(box.disk.format == .qcow2)
        #expect(try FileSystem.status(box.disk.path)?.permissions == 0o444)
        try folder.run("qemu-img", "compare", "-F", "raw", "-f", "qcow2", box.disk.path.string, "disk")
        try store.verify(box)
        try store.remove(box.identity)
        var wrong = options
        wrong.checksums = [ExpectedChecksum(SHA256Digest(of: [1]))]
        #expect(throws: BoxError.self) { try store.add(file, wrong) }
        let packed = try folder.file("packed", folder.run("gzip", "-c", "image"))
        #expect(throws: BoxError.packedForeignImage(format)) { try store.add(packed, options) }
        #expect(try nothingIsLeft())
    }

    @Test("a VMDK that names other files of this host is refused before qemu-img sees it")
    func hostile() throws {
        _ = try folder.file("disk", Self.raw)
        try folder.run("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "disk", "image")
        let image = try FileSystem.read(folder.path.appending("image"))
        var names = image
        names.replaceSubrange(12..<20, with: repeatElement(0, count: 8))
        let outside = try folder.file("outside", names)
        #expect(throws: BoxError.invalidDisk(outside.string, .externalData)) { try store.add(outside, options) }
        var continues = image
        continues.replaceSubrange(
            2000..<2050, with: Array("\nparentFileNameHint=\"/etc/shadow\"\n".utf8) + [UInt8](repeating: 10, count: 16))
        let child = try folder.file("child", continues)
        #expect(throws: BoxError.invalidDisk(child.string, .backingFile("parentFileNameHint"))) {
            try store.add(child, options)
        }
        #expect(try nothingIsLeft())
    }
}
