import Digest
import LinuxSystem
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import BoxFormat

/// Archives that no honest tool writes. Each is refused with the entry named, and nothing stays or appears elsewhere.
@Suite struct HostileArchiveTests {
    let folder: TemporaryFolder
    let store: BoxStore
    var options = BoxStore.AddOptions()

    init() throws {
        folder = try TemporaryFolder()
        store = BoxStore(root: folder.path.appending("store"))
        options.name = try BoxName("x")
    }

    private func refused(
        _ archive: [UInt8], _ error: BoxError, sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) throws {
        let file = try folder.file("x.box", archive)
        #expect(throws: error, sourceLocation: sourceLocation) { try store.add(file, options) }
        let names = try folder.tree().filter { !$0.hasPrefix("store/locks") }
        #expect(
            names == ["store", "store/boxes", "store/staging", "store/uses", "x.box"], sourceLocation: sourceLocation)
    }

    /// A good box with one more entry.
    private func box(_ add: (inout TarFixture) -> Void) -> [UInt8] {
        var tar = TarFixture()
        tar.add("metadata.json", Array(BoxFixture.metadata.utf8))
        tar.add("box.img", QcowFixture.header())
        add(&tar)
        return tar.archive
    }

    @Test(
        "paths out of the box",
        arguments: [
            ("../evil", BoxError.EntryProblem.parentFolder), ("a/../../evil", .parentFolder),
            ("/etc/evil", .absolutePath),
            ("a\\..\\evil", .unprintable), ("a\nb", .unprintable), ("a\u{202e}b", .unprintable),
        ])
    func paths(name: String, problem: BoxError.EntryProblem) throws {
        try refused(box { $0.add(name) }, .forbiddenEntry(Array(name.utf8).shown, problem))
    }

    @Test("names that are not UTF-8, too long, or of too many folders")
    func names() throws {
        try refused(box { $0.add([0x61, 0xff, 0xc0]) }, .forbiddenEntry("a\\xff\\xc0", .notUTF8))
        let long = String(repeating: "a", count: 600)
        try refused(
            box {
                $0.addPax([("path", long)])
                $0.add("short")
            }, .forbiddenEntry(String(long.prefix(512)), .tooLong))
        let deep = String(repeating: "a/", count: 17) + "a"
        try refused(box { $0.add(deep) }, .forbiddenEntry(deep, .tooLong))
    }

    @Test(
        "links, devices, pipes",
        arguments: [
            (TarFixture.Kind.symbolicLink, BoxError.EntryProblem.link), (.hardLink, .link), (.characterDevice, .device),
            (.pipe, .device),
        ])
    func kinds(kind: TarFixture.Kind, problem: BoxError.EntryProblem) throws {
        try refused(box { $0.add("evil", kind: kind, link: "box.img") }, .forbiddenEntry("evil", problem))
    }

    @Test("a file below a link is not written through it")
    func throughLink() throws {
        try refused(
            box {
                $0.add("dir", kind: .symbolicLink, link: "/tmp")
                $0.add("dir/evil", [1])
            }, .forbiddenEntry("dir", .link))
    }

    @Test("set-user-id files")
    func setUserIdentifier() throws {
        try refused(box { $0.add("evil", mode: 0o4755) }, .forbiddenEntry("evil", .setUserIdentifier))
    }

    @Test("duplicates, also in another case or composition", arguments: ["box.img", "BOX.img", "./box.img"])
    func duplicates(name: String) throws {
        try refused(box { $0.add(name, [1]) }, .forbiddenEntry(name == "./box.img" ? "box.img" : name, .duplicate))
    }

    @Test("a metadata.json of 1 GiB is refused before it is read")
    func hugeMetadata() throws {
        var tar = TarFixture()
        tar.add(Array("metadata.json".utf8), [], size: 1 << 30)
        try refused(tar.archive, .forbiddenEntry("metadata.json", .tooLarge(limit: ByteCount(1 << 20))))
    }

    @Test("a truncated archive")
    func truncated() throws {
        let archive = BoxFixture.archive()
        for count in [100, 513, 700, 1500, archive.count - 1200] {
            let file = try folder.file("x.box", Array(archive.prefix(count)))
            #expect(throws: BoxError.self) { try store.add(file, options) }
        }
        _ = try folder.file("whole.tar", archive)
        try folder.run("gzip", "whole.tar")
        let packed = try FileSystem.read(folder.path.appending("whole.tar.gz"))
        let file = try folder.file("x.box", Array(packed.dropLast(20)))
        #expect(throws: BoxError.self) { try store.add(file, options) }
        #expect(try FileSystem.list(store.root.appending("boxes")).isEmpty)
        #expect(try FileSystem.list(store.root.appending("staging")).isEmpty)
    }

    @Test("a file that is no archive")
    func noArchive() throws {
        let file = try folder.file("x.box", Array("this is no archive, only a text of some length\n".utf8))
        #expect(throws: BoxError.notAnArchive(file)) { try store.add(file, options) }
    }

    @Test("a bomb: more data than an archive of its size may hold")
    func bomb() throws {
        var options = options
        options.limits.alwaysAllowed = 1 << 20
        let metadata = try folder.file("metadata.json", Array(BoxFixture.metadata.utf8))
        // Not zeros, which cost no space, but as easy to pack.
        try folder.run("sh", "-c", "yes | head -c 8000000 >box.img")
        try folder.run("tar", "-I", "zstd -19", "-cf", "x.box", "metadata.json", "box.img")
        let size = try #require(try FileSystem.status(folder.path.appending("x.box"))).size
        let limit = ByteCount(max(UInt64(size) * 256, 1 << 20))
        #expect(limit.bytes < 8_000_000)
        #expect(throws: BoxError.tooMuchData(limit: limit, what: "data for an archive of its size")) {
            try store.add(folder.path.appending("x.box"), options)
        }
        options.limits.unpackedBytes = 1 << 20
        #expect(throws: BoxError.tooMuchData(limit: ByteCount(1 << 20), what: "files")) {
            try store.add(folder.path.appending("x.box"), options)
        }
        options.limits.entries = 1
        #expect(throws: BoxError.tooManyEntries(limit: 1)) { try store.add(folder.path.appending("x.box"), options) }
        #expect(try FileSystem.list(store.root.appending("staging")).isEmpty)
        _ = metadata
    }

    @Test(
        "sparse maps that lie (behind the end, overlapping, without end) write nothing outside the announced size",
        arguments: [
            "1\n1073741824\n512\n", "2\n0\n512\n256\n256\n", "1\n-512\n512\n", "99999999999\n",
            "1\n0\n99999999999999999999\n",
        ])
    func sparseMap(map: String) throws {
        let archive = box { tar in
            tar.addPax([
                ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "evil.img"),
                ("GNU.sparse.realsize", "1048576"),
            ])
            let header = Array(map.utf8) + [UInt8](repeating: 0, count: 512 - map.utf8.count)
            tar.add("GNUSparseFile.0/evil.img", header + [UInt8](repeating: 7, count: 512))
        }
        let file = try folder.file("x.box", archive)
        // libarchive drops parts of some lying maps. Then the file still has the size that was announced and checked.
        if let box = try? store.add(file, options).box {
            let status = try #require(try FileSystem.status(box.directory.appending("evil.img")))
            #expect(status.size == 1 << 20 && status.allocated <= 4096)
            try store.verify(box)
        } else {
            #expect(try FileSystem.list(store.root.appending("boxes")).isEmpty)
        }
        #expect(try FileSystem.list(store.root.appending("staging")).isEmpty)
    }

    @Test(
        "disk images that are not what the box says",
        arguments: [
            (QcowFixture.header(magic: 0), BoxError.DiskProblem.notQcow2),
            (QcowFixture.header(version: 9), .unsupportedVersion(9)),
            (QcowFixture.header(incompatible: 4), .externalData), (QcowFixture.header(virtualSize: 0), .size(0)),
            (QcowFixture.header(virtualSize: .max), .size(.max)), (Array(QcowFixture.header().prefix(60)), .truncated),
            ([], .notQcow2),
        ])
    func disks(disk: [UInt8], problem: BoxError.DiskProblem) throws {
        try refused(BoxFixture.archive(disk: disk), .invalidDisk("box.img", problem))
    }

    @Test("metadata that is missing, of another provider, or not to be trusted")
    func metadata() throws {
        var tar = TarFixture()
        tar.add("box.img", Array("no image".utf8))
        try refused(tar.archive, .missingMetadata)
        try refused(BoxFixture.archive(#"{"provider":"virtualbox"}"#), .wrongProvider("virtualbox"))
        try refused(
            BoxFixture.archive(#"{"provider":"libvirt","format":"vmdk"}"#),
            .invalidDisk("box.img", .unknownFormat("vmdk")))
        for text in [
            "", "[]", "{", #"{"provider":"libvirt"},"#, #"{"format":"qcow2"}"#, #"{"provider":1}"#,
            #"{"provider":"libvirt","wander":{"schema":2}}"#,
            #"{"provider":"libvirt","wander":{"schema":1,"user":"a b"}}"#,
            #"{"provider":"libvirt","wander":{"schema":1,"firmware":"coreboot"}}"#,
            #"{"provider":"libvirt","wander":{"schema":1,"command_line":"a\nb"}}"#,
            #"{"provider":"libvirt","wander":{"schema":1,"digests":{"box.img":"md5:1"}}}"#,
            #"{"provider":"libvirt","disks":[{"path":"a"},{"path":"a"}]}"#,
        ] {
            let file = try folder.file("x.box", BoxFixture.archive(text))
            let error = #expect(throws: BoxError.self, "\(text)") { try store.add(file, options) }
            guard case .invalidMetadata = error else {
                Issue.record("\(text): \(String(describing: error))")
                continue
            }
        }
        try refused(
            BoxFixture.archive(#"{"provider":"libvirt","disks":[{"path":"../../etc/passwd"}]}"#),
            .forbiddenEntry("../../etc/passwd", .parentFolder))
        try refused(
            BoxFixture.archive(#"{"provider":"libvirt","wander":{"schema":1,"kernel":"/boot/vmlinuz"}}"#),
            .forbiddenEntry("/boot/vmlinuz", .absolutePath))
        try refused(
            BoxFixture.archive(BoxFixture.metadata(name: "../x", version: "1")), .invalidName("../x"))
    }

    @Test("an interrupted add leaves nothing")
    func cancelled() throws {
        let cancellation = try Cancellation()
        cancellation.request()
        let file = try folder.file("x.box", BoxFixture.archive())
        #expect(throws: Interruption.self) { try store.add(file, options, cancellation: cancellation) }
        #expect(try FileSystem.list(store.root.appending("staging")).isEmpty)
    }
}
