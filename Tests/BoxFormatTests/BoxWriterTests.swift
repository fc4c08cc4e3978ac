import Digest
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import BoxFormat

@Suite struct BoxWriterTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func contents(disk: FilePath) -> [String: BoxWriter.Content] {
        let metadata = #"{"provider":"libvirt","format":"raw","wander":{"schema":1,"name":"w","version":"1"}}"#
        return [
            "metadata.json": .bytes(Array(metadata.utf8)), "box.img": .file(disk), "include/a.txt": .bytes([1, 2, 3]),
            "include/" + String(repeating: "n", count: 120): .bytes([]),
        ]
    }

    private func disk(_ name: String, sparse: Bool) throws -> FilePath {
        let path = folder.path.appending(name)
        try folder.run("truncate", "-s", "40M", name)
        let first = sparse ? "conv=notrunc" : "conv=notrunc,sync"
        try folder.run("sh", "-c", "printf data | dd of=\(name) bs=1M seek=7 \(first) 2>/dev/null")
        // The same content, but written zeros instead of holes.
        if !sparse { try folder.run("sh", "-c", "cp --sparse=never \(name) t && mv t \(name)") }
        return path
    }

    @Test(
        "what it packs comes out of the store's reader as it went in, holes as holes",
        arguments: BoxCompression.allCases)
    func roundTrip(compression: BoxCompression) throws {
        let image = try disk("disk.raw", sparse: true)
        let output = folder.path.pushing("new/out.box")
        let (digest, size) = try BoxWriter(contents(disk: image), compression: compression).write(to: output)
        let written = try FileSystem.read(output)
        #expect(digest == SHA256Digest(of: written) && size == UInt64(written.count))
        let box = try BoxStore(root: folder.path.appending("store")).add(output).box
        #expect(box.digest == digest)
        #expect(box.files.map(\.path).first == "metadata.json")
        #expect(box.files.count == 4)
        try folder.run("cmp", "disk.raw", box.disk.path.string)
        #expect(try #require(try FileSystem.status(box.disk.path)).allocated <= 1 << 20)
        #expect(try FileSystem.list(folder.path.appending("new")) == ["out.box"])
    }

    @Test("the same content gives the same bytes, however the file was written", arguments: BoxCompression.allCases)
    func deterministic(compression: BoxCompression) throws {
        let one = folder.path.appending("1.box")
        let other = folder.path.appending("2.box")
        let first = try BoxWriter(contents(disk: try disk("a.raw", sparse: true)), compression: compression).write(
            to: one)
        let second = try BoxWriter(contents(disk: try disk("b.raw", sparse: false)), compression: compression)
            .write(to: other)
        #expect(first == second)
        try folder.run("cmp", "1.box", "2.box")
    }

    @Test("tar and bsdtar read it", arguments: ["tar", "bsdtar"])
    func tools(tool: String) throws {
        let image = try disk("disk.raw", sparse: true)
        try BoxWriter(contents(disk: image), compression: .gzip).write(to: folder.path.appending("out.box"))
        try FileSystem.makeDirectory(folder.path.appending("x"))
        try folder.run(tool, "-xzf", "out.box", "-C", "x")
        try folder.run("cmp", "disk.raw", "x/box.img")
        #expect(try FileSystem.read(folder.path.pushing("x/include/a.txt")) == [1, 2, 3])
        #expect(try FileSystem.exists(folder.path.pushing(FilePath("x/include/" + String(repeating: "n", count: 120)))))
        let names = String(decoding: try folder.run(tool, "-tzf", "out.box"), as: UTF8.self)
        #expect(names.hasPrefix("metadata.json\nbox.img\n"))
    }

    @Test("a file of zeros, an empty file, and sizes beside a block's")
    func edges() throws {
        try folder.run("truncate", "-s", "9G", "zeros.raw")
        var contents: [String: BoxWriter.Content] = [
            "metadata.json": .bytes(Array(#"{"provider":"libvirt","format":"raw"}"#.utf8)),
            "box.img": .file(folder.path.appending("zeros.raw")), "empty": .file(try folder.file("empty")),
        ]
        for size in [1, 511, 512, 513, 1 << 20] {
            contents["f\(size)"] = .file(try folder.file("f\(size)", [UInt8](repeating: 7, count: size)))
        }
        let output = folder.path.appending("out.box")
        try BoxWriter(contents).write(to: output)
        try FileSystem.makeDirectory(folder.path.appending("x"))
        try folder.run("tar", "--zstd", "-xf", "out.box", "-C", "x")
        for name in ["f1", "f511", "f512", "f513", "f1048576", "empty"] { try folder.run("cmp", name, "x/\(name)") }
        let zeros = try #require(try FileSystem.status(folder.path.pushing("x/box.img")))
        #expect(zeros.size == 9 << 30 && zeros.allocated == 0)
    }

    @Test("a box with secrets is its owner's alone to read, also where it replaces one that was not")
    func permissions() throws {
        let image = try disk("disk.raw", sparse: true)
        let output = folder.path.appending("out.box")
        var writer = BoxWriter(contents(disk: image))
        try writer.write(to: output)
        #expect(try FileSystem.status(output)?.permissions == 0o644)
        writer.isPrivate = true
        try writer.write(to: output, replace: true)
        #expect(try FileSystem.status(output)?.permissions == 0o600)
    }

    @Test("never replaces a file unasked, and leaves nothing when it fails")
    func failures() throws {
        let output = try folder.file("out.box", [1])
        let image = try disk("disk.raw", sparse: true)
        #expect(throws: BoxError.outputExists(output)) { try BoxWriter(contents(disk: image)).write(to: output) }
        #expect(try FileSystem.read(output) == [1])
        try BoxWriter(contents(disk: image)).write(to: output, replace: true)
        let missing = folder.path.appending("missing")
        #expect(throws: SystemError.self) {
            try BoxWriter(contents(disk: missing)).write(to: folder.path.appending("other.box"))
        }
        #expect(throws: BoxError.missingMetadata) {
            try BoxWriter(["box.img": .bytes([])]).write(to: folder.path.appending("other.box"))
        }
        #expect(throws: BoxError.forbiddenEntry("../x", .parentFolder)) {
            try BoxWriter(["../x": .bytes([]), "metadata.json": .bytes([])]).write(
                to: folder.path.appending("other.box"))
        }
        #expect(try FileSystem.list(folder.path) == ["disk.raw", "out.box"])
    }

    @Test("files that no store would take are in no box")
    func checkedNames() throws {
        #expect(try BoxWriter.checked(["./a//b", "c"]) == ["a/b", "c"])
        #expect(throws: BoxError.forbiddenEntry("include/readme", .duplicate)) {
            try BoxWriter.checked(["include/README", "include/readme"])
        }
        #expect(throws: BoxError.self) { try BoxWriter.checked(["include/two\nlines"]) }
        #expect(throws: BoxError.tooManyEntries(limit: 4096)) {
            try BoxWriter.checked((0...4096).map { "include/\($0)" })
        }
    }
}
