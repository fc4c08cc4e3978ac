import Digest
import DiskImage
import JSON
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import BoxFormat

/// Boxes that hold only what differs from another one.
@Suite struct ThinBoxTests {
    let folder: TemporaryFolder
    let store: BoxStore

    init() throws {
        folder = try TemporaryFolder()
        store = BoxStore(root: folder.path.appending("store"))
    }

    private func file(_ name: String) -> FilePath { folder.path.appending(name) }

    /// A box of one disk, and a kernel.
    private func addParent(to store: BoxStore, content: UInt8 = 1) throws -> Box {
        let disk = try folder.file(
            "base.raw", [UInt8](repeating: content, count: 200_000) + [UInt8](repeating: 0, count: 8760))
        let raw = try DiskImage.open([DiskLayer(path: disk, format: .raw)], access: .readOnly)
        try? FileSystem.remove(file("base.qcow2"))
        try DiskImage.flatten(raw, to: file("base.qcow2"))
        var description = BoxDescription(architecture: .amd64, virtualSize: raw.virtualSize)
        description.name = try BoxName("team/base")
        description.hasKernel = true
        let archive = file("base-\(randomIdentifier()).box")
        try BoxWriter([
            "metadata.json": .bytes(Array(description.json.pretty.utf8)), "box.img": .file(file("base.qcow2")),
            "vmlinuz": .bytes([1, 2, 3]),
        ]).write(to: archive)
        return try store.add(archive).box
    }

    /// A thin box of a machine of `parent` that has written some bytes.
    private func thin(
        _ parent: Box, digest: SHA256Digest? = nil, name: String = "team/thin", byte: UInt8 = 9
    ) throws -> (
        box: FilePath, whole: FilePath
    ) {
        let layers = [
            DiskLayer(path: file("machine.qcow2"), format: .qcow2), DiskLayer(path: parent.disk.path, format: .qcow2),
        ]
        try? FileSystem.remove(layers[0].path)
        try DiskImage.createOverlay(at: layers[0].path, backing: parent.disk.path, backingFormat: .qcow2)
        let machine = try DiskImage.open(layers, access: .readWrite)
        try machine.write([UInt8](repeating: byte, count: 5000), at: 70_000)
        try machine.close()
        let disk = try DiskImage.open(layers, access: .readOnly)
        let base = try DiskImage.open([layers[1]], access: .readOnly)
        for name in ["whole.qcow2", "changes.qcow2"] { try? FileSystem.remove(file(name)) }
        try DiskImage.flatten(disk, to: file("whole.qcow2"))
        try DiskImage.difference(of: disk, from: base, sharedDepth: 1, to: file("changes.qcow2"))
        var description = BoxDescription(architecture: .amd64, virtualSize: disk.virtualSize)
        description.name = try BoxName(name)
        description.hasKernel = true
        description.parent = BoxParent(of: parent)
        description.digests = [("box.img", try digest ?? SHA256Digest(of: FileSystem.read(file("whole.qcow2"))))]
        let archive = file("thin-\(randomIdentifier()).box")
        try BoxWriter([
            "metadata.json": .bytes(Array(description.json.pretty.utf8)), "changes.qcow2": .file(file("changes.qcow2")),
        ]).write(to: archive)
        return (archive, file("whole.qcow2"))
    }

    @Test("it becomes the whole disk, byte for byte, with its parent's kernel")
    func complete() throws {
        let parent = try addParent(to: store)
        let (archive, whole) = try thin(parent)
        let box = try store.add(archive).box
        #expect(try FileSystem.read(box.disk.path) == FileSystem.read(whole))
        #expect(try FileSystem.read(try #require(box.kernel)) == [1, 2, 3])
        #expect(Set(box.files.map(\.path)) == ["metadata.json", "box.img", "vmlinuz"])
        // It stands alone from then on.
        try store.remove(parent.identity)
        #expect(try FileSystem.read(try #require(box.kernel)) == [1, 2, 3])
        try store.verify(box)
    }

    @Test("a thin box over a thin box needs that one alone")
    func thinOverThin() throws {
        let grandparent = try addParent(to: store)
        let parent = try store.add(try thin(grandparent).box).box
        try store.remove(grandparent.identity)
        let (archive, whole) = try thin(parent, name: "team/thinner", byte: 7)
        let box = try store.add(archive).box
        #expect(try FileSystem.read(box.disk.path) == FileSystem.read(whole))
        #expect(try FileSystem.read(try #require(box.kernel)) == [1, 2, 3])
        try store.remove(parent.identity)
        try store.verify(box)
        #expect(throws: BoxError.self) { try store.add(archive) }
    }

    @Test("without its parent it is refused, and the parent is named")
    func missingParent() throws {
        let elsewhere = BoxStore(root: folder.path.appending("elsewhere"))
        let (archive, _) = try thin(try addParent(to: elsewhere))
        // Of the same name, but not the same.
        let other = try addParent(to: store, content: 2)
        let error = #expect(throws: BoxError.self) { try store.add(archive) }
        guard case .parentMissing(let parent) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(parent.identity.name.description == "team/base" && parent.digest != other.digest)
        #expect(try store.list().boxes.count == 1)
    }

    @Test("a disk that does not become what the box states is refused")
    func wrongDigest() throws {
        let parent = try addParent(to: store)
        let (archive, _) = try thin(parent, digest: SHA256Digest(of: [1]))
        #expect(throws: BoxError.self) { try store.add(archive) }
        #expect(try store.list().boxes.map(\.name.description) == ["team/base"])
    }

    @Test("what a description says is what is read back")
    func description() throws {
        var description = BoxDescription(architecture: .amd64, virtualSize: (10 << 30) + 1)
        description.name = try BoxName("team/a")
        description.version = BoxVersion("1.2")
        description.commandLine = "root=/dev/vda rw"
        description.user = "vagrant"
        description.cloudInit = true
        description.firmware = .bios
        description.smallestMemory = 128 << 20
        description.provisioning = [["name": "a", "hash": "b"]]
        let metadata = try BoxMetadata(parsing: Array(description.json.pretty.utf8))
        #expect(metadata.name == description.name && metadata.version == description.version)
        #expect(metadata.commandLine == description.commandLine && metadata.user == "vagrant")
        #expect(metadata.cloudInit && metadata.firmware == .bios && metadata.smallestMemory == 128 << 20)
        #expect(metadata.provisioning == .array(description.provisioning))
        #expect(metadata.kernel == nil && metadata.parent == nil)
        #expect(description.json["virtual_size"] == 11)
    }

    @Test(
        "a parent that is no parent is refused",
        arguments: [
            #""parent":{"name":"a","version":"1","architecture":"amd64","digest":"md5:1"}"#,
            #""parent":{"name":"../a","version":"1","architecture":"amd64","digest":"\#(SHA256Digest(of: []))"}"#,
            #""parent":{"name":"a","version":"1","architecture":"amd64","digest":"\#(SHA256Digest(of: []))","source":"a b"}"#,
            #""parent":{"name":"a"}"#,
        ])
    func badParent(member: String) {
        let text = #"{"provider":"libvirt","wander":{"schema":1,"name":"t",\#(member)}}"#
        #expect(throws: BoxError.self) { try BoxMetadata(parsing: Array(text.utf8)) }
    }
}
