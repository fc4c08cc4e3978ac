import Digest
import DiskImage
import LinuxSystem
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import BoxFormat

@Suite struct BoxStoreTests {
    let folder: TemporaryFolder
    let store: BoxStore

    init() throws {
        folder = try TemporaryFolder()
        store = BoxStore(root: folder.path.appending("store"))
    }

    /// What the store holds besides locks.
    private func leftovers() throws -> [String] {
        try ["boxes", "staging"].flatMap { name -> [String] in
            let path = store.root.appending(name)
            return try FileSystem.exists(path) ? try TemporaryFolder.tree(path) : []
        }
    }

    private func add(
        _ name: String, _ version: String, architecture: String = "amd64", _ options: BoxStore.AddOptions = .init()
    ) throws -> Box {
        let bytes = BoxFixture.archive(BoxFixture.metadata(name: name, version: version, architecture: architecture))
        let file = try folder.file("\(randomIdentifier()).box", bytes)
        return try store.add(file, options).box
    }

    @Test("adds a box that says its name, and finds it again as it was added")
    func addAndFind() throws {
        let extra =
            #","kernel":"vmlinuz","command_line":"console=ttyS0 quiet","user":"vagrant","cloud_init":true,"#
            + #""firmware":"uefi","smallest_memory":268435456"#
        let metadata = BoxFixture.metadata(name: "team/debian", version: "1.2.0", extra: extra)
        var tar = TarFixture()
        tar.add("metadata.json", Array(metadata.utf8))
        tar.add("./box.img", QcowFixture.header())
        tar.add("include/", kind: .directory)
        tar.add("include/notes.txt", Array("hello".utf8))
        tar.add("vmlinuz", [1, 2, 3])
        let file = try folder.file("x.box", tar.archive)
        let (box, outcome) = try store.add(file)
        #expect(outcome == .added)
        #expect("\(box.identity)" == "team/debian 1.2.0 (amd64)")
        #expect(box.digest == SHA256Digest(of: tar.archive))
        #expect(box.disk.format == .qcow2 && box.disk.virtualSize == 1 << 30)
        #expect(try FileSystem.read(box.disk.path) == QcowFixture.header())
        #expect(try FileSystem.read(#require(box.kernel)) == [1, 2, 3])
        #expect(box.initrd == nil)
        #expect(box.commandLine == "console=ttyS0 quiet" && box.user == "vagrant")
        #expect(box.cloudInit && box.firmware == .uefi && box.smallestMemory == 256 << 20)
        #expect(try FileSystem.read(box.directory.pushing("include/notes.txt")) == Array("hello".utf8))
        #expect(try #require(try FileSystem.status(box.disk.path)).permissions == 0o444)
        #expect(try store.find(BoxName("team/debian")) == box)
        #expect(try store.list().boxes == [box])
        #expect(try FileSystem.list(store.root.appending("staging")).isEmpty)
    }

    @Test("finds the newest version that satisfies the requirement, in version order")
    func find() throws {
        for version in ["1.0", "2.0.3", "2.0.4", "10.3"] { _ = try add("foo/bar", version) }
        _ = try add("other", "3.0")
        let name = try BoxName("foo/bar")
        #expect(try store.boxes(named: name).map(\.version.description) == ["1.0", "2.0.3", "2.0.4", "10.3"])
        #expect(try store.find(name, VersionRequirement("> 2, < 3"))?.version.description == "2.0.4")
        #expect(try store.find(name)?.version.description == "10.3")
        #expect(try store.find(name, VersionRequirement("> 1.0, < 1.5")) == nil)
        #expect(try store.find(BoxName("foo")) == nil)
        #expect(try store.find(name, architecture: .arm64) == nil)
    }

    @Test("an empty store lists nothing and is not created by looking")
    func emptyStore() throws {
        #expect(try store.list().boxes.isEmpty)
        #expect(try store.find(BoxName("a")) == nil)
        #expect(try store.uses().isEmpty)
        #expect(try !FileSystem.exists(store.root))
    }

    @Test(
        "reads archives that tar, bsdtar and compressors write",
        arguments: ["tar", "gzip", "zstd", "xz", "bzip2", "bsdtar", "vagrant"])
    func tools(tool: String) throws {
        _ = try folder.file("in/metadata.json", Array(BoxFixture.metadata.utf8))
        _ = try folder.file(
            "in/box.img", QcowFixture.header() + (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        _ = try folder.file("in/info.json", Array("{}".utf8))
        switch tool {
        case "tar": try folder.run("tar", "-cf", "out.box", "-C", "in", ".")
        case "bsdtar":
            try folder.run("bsdtar", "--zstd", "-cf", "out.box", "-C", "in", "metadata.json", "box.img", "info.json")
        case "vagrant":
            try folder.run("sh", "-c", "cd in && bsdtar -czf ../out.box ./box.img ./info.json ./metadata.json")
        default:
            try folder.run("tar", "--\(tool)", "-cf", "out.box", "-C", "in", "box.img", "metadata.json", "info.json")
        }
        var options = BoxStore.AddOptions()
        options.name = try BoxName("tool/\(tool)")
        let box = try store.add(folder.path.appending("out.box"), options).box
        #expect(box.version.description == "0" && box.architecture == .unknown)
        try folder.run("cmp", "in/box.img", box.disk.path.string)
        #expect(box.digest == SHA256Digest(of: try FileSystem.read(folder.path.appending("out.box"))))
        try store.verify(box)
    }

    @Test(
        "a sparse image stays sparse, from an archive with a map of holes and from one with zeros",
        arguments: [true, false])
    func sparse(mapped: Bool) throws {
        let metadata = #"{"provider":"libvirt","format":"raw","virtual_size":1}"#
        _ = try folder.file("in/metadata.json", Array(metadata.utf8))
        try folder.run("truncate", "-s", "256M", "in/box.img")
        try folder.run("sh", "-c", "printf end | dd of=in/box.img bs=1 seek=200000000 conv=notrunc 2>/dev/null")
        try folder.run("tar", mapped ? "-cSf" : "-cf", "out.tar", "-C", "in", "metadata.json", "box.img")
        try folder.run("zstd", "-q", "out.tar")
        var options = BoxStore.AddOptions()
        options.name = try BoxName("sparse")
        let box = try store.add(folder.path.appending("out.tar.zst"), options).box
        try folder.run("cmp", "in/box.img", box.disk.path.string)
        let status = try #require(try FileSystem.status(box.disk.path))
        #expect(status.size == 256 << 20)
        #expect(status.allocated < 1 << 20)
        #expect(box.files.contains { $0.path == "box.img" && $0.size == 256 << 20 })
        try store.verify(box)
    }

    @Test("adds a plain disk image under the name that was given, and only then")
    func plainImage() throws {
        try folder.run("qemu-img", "create", "-q", "-f", "qcow2", "disk.qcow2", "3G")
        let image = folder.path.appending("disk.qcow2")
        #expect(throws: BoxError.nameRequired(image)) { try store.add(image) }
        var options = BoxStore.AddOptions()
        options.name = try BoxName("plain")
        let box = try store.add(image, options).box
        #expect(box.disk.format == .qcow2 && box.disk.virtualSize == 3 << 30)
        #expect(box.digest == SHA256Digest(of: try FileSystem.read(image)))
        try folder.run("cmp", "disk.qcow2", box.disk.path.string)
        options.name = try BoxName("raw")
        options.diskFormat = .raw
        let raw = try folder.file("disk.raw", [UInt8](repeating: 0, count: 1 << 20) + [7])
        #expect(try store.add(raw, options).box.disk.virtualSize == 1 << 20 + 1)
    }

    @Test("an image that needs another one is refused", arguments: [true, false])
    func backingFile(inArchive: Bool) throws {
        try folder.run("qemu-img", "create", "-q", "-f", "qcow2", "base.qcow2", "1G")
        try folder.run(
            "qemu-img", "create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", "-u", "box.img", "1G")
        var options = BoxStore.AddOptions()
        options.name = try BoxName("x")
        var file = folder.path.appending("box.img")
        if inArchive {
            file = try folder.file("x.box", BoxFixture.archive(disk: try FileSystem.read(file)))
        }
        let error = #expect(throws: BoxError.self) { try store.add(file, options) }
        guard case .invalidDisk(_, .backingFile("/etc/passwd")) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try leftovers().isEmpty)
    }

    @Test("the same box twice is an error, unless it shall replace or may be used")
    func twice() throws {
        let first = try add("a", "1")
        #expect(throws: BoxError.alreadyPresent(first.identity)) { try add("a", "1") }
        var options = BoxStore.AddOptions()
        options.whenPresent = .use
        #expect(try add("a", "1", options) == first)
        options.whenPresent = .replace
        let disk = QcowFixture.header(virtualSize: 2 << 30)
        let file = try folder.file(
            "new.box", BoxFixture.archive(BoxFixture.metadata(name: "a", version: "1"), disk: disk))
        let (box, outcome) = try store.add(file, options)
        #expect(outcome == .replaced)
        #expect(try FileSystem.read(box.disk.path) == disk)
        #expect(try store.list().boxes.count == 1)
        #expect(try FileSystem.list(store.root.appending("staging")).isEmpty)
    }

    @Test("a checksum of the user is compared, whatever its case and space; a wrong one leaves nothing")
    func checksums() throws {
        let bytes = BoxFixture.archive()
        let file = try folder.file("x.box", bytes)
        var sha1 = Checksum(.sha1)
        sha1.update(bytes)
        let digits = hexadecimal(sha1.finish())
        var options = BoxStore.AddOptions()
        options.name = try BoxName("x")
        options.checksums = [try #require(try ExpectedChecksum.read(digits + "0", algorithm: "sha1"))]
        #expect(throws: BoxError.checksumMismatch(algorithm: .sha1, expected: digits + "0", actual: digits)) {
            try store.add(file, options)
        }
        #expect(try leftovers().isEmpty)
        #expect(try ExpectedChecksum.read("  ") == nil)
        options.checksums = [
            try #require(try ExpectedChecksum.read("  \(digits.uppercased())\n")),
            ExpectedChecksum(SHA256Digest(of: bytes)),
        ]
        #expect(try store.add(file, options).outcome == .added)
    }

    @Test("what a box states about its files must be true")
    func statedDigests() throws {
        let wrong = String(repeating: "0", count: 64)
        let extra = #","digests":{"box.img":"sha256:\#(wrong)"}"#
        let file = try folder.file(
            "x.box", BoxFixture.archive(BoxFixture.metadata(name: "x", version: "1", extra: extra)))
        let stated = try #require(SHA256Digest(wrong))
        let actual = SHA256Digest(of: QcowFixture.header())
        #expect(throws: BoxError.fileDigestMismatch("box.img", stated: stated, actual: actual)) { try store.add(file) }
        let missing = #","digests":{"vmlinuz":"sha256:\#(wrong)"}"#
        let other = try folder.file(
            "y.box", BoxFixture.archive(BoxFixture.metadata(name: "x", version: "1", extra: missing)))
        #expect(throws: BoxError.missingFile("vmlinuz", namedBy: "digests")) { try store.add(other) }
        #expect(try leftovers().isEmpty)
    }

    @Test("verify names the files that changed since")
    func verify() throws {
        let box = try add("a", "1")
        try store.verify(box)
        try FileSystem.setPermissions(box.disk.path, 0o644)
        try AtomicFile.write("other", to: box.disk.path)
        try FileSystem.remove(box.directory.appending("metadata.json"))
        #expect(throws: BoxError.damaged(box.identity, files: ["metadata.json: missing", "box.img: changed"])) {
            try store.verify(box)
        }
    }

    @Test(
        "a box that a machine lies on is not removed, wherever the machine has gone, until somebody says that it is gone"
    )
    func uses() throws {
        let box = try add("a", "1")
        let machine = folder.path.appending("project")
        try FileSystem.makeDirectory(machine)
        try store.recordUse(of: box, machine: "web", directory: machine)
        try store.recordUse(of: box, machine: "web", directory: machine)
        #expect(try store.uses(of: box.identity).map(\.machine) == ["web"])
        #expect(try FileSystem.list(store.root.appending("uses")).count == 1)
        #expect(throws: BoxError.self) { try store.remove(box.identity) }
        #expect(try store.list().boxes == [box])

        let moved = folder.path.appending("elsewhere")
        try FileSystem.rename(machine, to: moved)
        // Moved, or on a drive that is not mounted.
        #expect(try store.uses().map(\.place) == [.notFound])
        #expect(
            try store.uses().map(\.description) == ["web (not found: \(try FileSystem.resolve(folder.path))/project)"])
        #expect(throws: BoxError.self) { try store.remove(box.identity) }
        // Another machine in its place is not it.
        try FileSystem.makeDirectory(machine)
        try store.recordUse(of: box, machine: "web", directory: machine)
        #expect(try store.uses().map(\.place).filter { $0 == .notFound }.count == 1)
        try store.releaseUse(directory: machine)
        try FileSystem.removeTree(machine)
        // Its next start says where it is now.
        try store.recordUse(of: box, machine: "web", directory: moved)
        #expect(try store.uses(of: box.identity).map(\.directory) == [try FileSystem.resolve(moved)])
        #expect(try store.uses().map(\.place) == [.found])

        try store.releaseUse(directory: moved)
        #expect(try store.uses().isEmpty)
        try store.recordUse(of: box, machine: "web", directory: moved)
        try FileSystem.removeTree(moved)
        #expect(throws: BoxError.self) { try store.remove(box.identity) }
        #expect(try store.forgetMissing(store.uses()).map(\.machine) == ["web"])
        try store.remove(box.identity)
        #expect(try leftovers().isEmpty)
        #expect(try FileSystem.list(store.root.appending("uses")).isEmpty)
        #expect(throws: BoxError.notFound("\(box.identity)", installed: [])) { try store.remove(box.identity) }
    }

    @Test("only those machines are forgotten that somebody saw missing, and only if they still are")
    func forgetMissing() throws {
        let box = try add("a", "1")
        let (web, db) = (folder.path.appending("web"), folder.path.appending("db"))
        for machine in [web, db] {
            try FileSystem.makeDirectory(machine)
            try store.recordUse(of: box, machine: machine.lastComponent?.string ?? "", directory: machine)
        }
        let away = folder.path.appending("away")
        try FileSystem.rename(web, to: away)
        let seen = try store.uses().filter { $0.place == .notFound }
        try FileSystem.rename(away, to: web)
        try FileSystem.rename(db, to: away)
        #expect(try store.forgetMissing(seen).isEmpty)
        #expect(try store.uses().map(\.machine) == ["db", "web"])
        #expect(try store.forgetMissing(store.uses()).map(\.machine) == ["db"])
        #expect(try store.uses().map(\.place) == [.found])
    }

    @Test("what cannot be looked at is in use: a machine's folder, an entry, a box's record")
    func failingLookup() throws {
        let box = try add("a", "1")
        let machine = folder.path.appending("project")
        try FileSystem.makeDirectory(machine)
        try store.recordUse(of: box, machine: "web", directory: machine)
        // A link to itself fails with ELOOP, for root too.
        let marker = machine.appending("box-use")
        let text = try FileSystem.read(marker)
        try FileSystem.remove(marker)
        try folder.run("ln", "-s", "box-use", "project/box-use")
        guard case .unreadable = try store.uses(of: box.identity).first?.place else {
            Issue.record("not in use")
            return
        }
        #expect(throws: BoxError.self) { try store.remove(box.identity) }
        try FileSystem.remove(marker)
        try AtomicFile.write(text, to: marker)
        let uses = store.root.appending("uses")
        let entry = uses.appending(try #require(try FileSystem.list(uses).first))
        try AtomicFile.write("", to: entry)
        #expect(throws: BoxError.damagedUse(entry)) { try store.remove(box.identity) }
        let record = box.directory.removingLastComponent().appending("record.json")
        try FileSystem.setPermissions(record.removingLastComponent(), 0o755)
        try FileSystem.remove(record)
        try folder.run("ln", "-s", "record.json", record.string)
        #expect {
            try store.box(box.identity)
        } throws: { error in
            guard case BoxError.unreadableRecord = error else { return false }
            return true
        }
    }

    @Test("entries that were never completed do not count")
    func unfinishedUse() throws {
        let box = try add("a", "1")
        let machine = folder.path.appending("project")
        try FileSystem.makeDirectory(machine)
        try store.recordUse(of: box, machine: "web", directory: machine)
        // Killed between the entry and the marker.
        try FileSystem.remove(machine.appending("box-use"))
        #expect(try store.uses().isEmpty)
        try store.recordUse(of: box, machine: "web", directory: machine)
        #expect(try store.uses().count == 1)
        try store.releaseUse(directory: machine)
        try store.remove(box.identity)
        #expect(try FileSystem.list(store.root.appending("uses")).isEmpty)
    }

    @Test("a machine that is destroyed takes what a killed command recorded of it along", arguments: [true, false])
    func unfinishedUseReleased(isFirst: Bool) throws {
        let (box, other) = (try add("a", "1"), try add("a", "2"))
        let machine = folder.path.appending("project")
        let marker = machine.appending("box-use")
        try FileSystem.makeDirectory(machine)
        if !isFirst { try store.recordUse(of: other, machine: "web", directory: machine) }
        let known = try FileSystem.readIfThere(marker, limit: 100)
        try store.recordUse(of: box, machine: "web", directory: machine)
        // Killed between the entry and the marker.
        try FileSystem.remove(marker)
        if let known { try AtomicFile.write(known, to: marker) }
        try store.releaseUse(directory: machine)
        try FileSystem.removeTree(machine)
        #expect(try store.uses().isEmpty)
        try store.remove(box.identity)
    }

    @Test(
        "a copy of a whole file system, in which a machine's folder has the same inode, is a machine of its own",
        arguments: [true, false])
    func copiedFileSystem(isStarted: Bool) throws {
        let box = try add("a", "1")
        let (machine, copy) = (folder.path.appending("one"), folder.path.appending("two"))
        try FileSystem.makeDirectory(machine)
        try store.recordUse(of: box, machine: "web", directory: machine)
        // As if both folders had the inode of the copy.
        try folder.run("cp", "-r", "one", "two")
        let uses = store.root.appending("uses")
        let entry = uses.appending(try #require(try FileSystem.list(uses).first))
        let inodes = try [machine, copy].map { try #require(try FileSystem.status($0)?.inode) }
        let text = String(decoding: try FileSystem.read(entry), as: UTF8.self)
        try AtomicFile.write(text.replacing("\"inode\": \(inodes[0])", with: "\"inode\": \(inodes[1])"), to: entry)
        #expect(try FileSystem.read(entry) != Array(text.utf8))
        if isStarted { try store.recordUse(of: box, machine: "web", directory: copy) }
        #expect(try store.uses().contains { $0.machine == "web" && $0.directory.lastComponent == "one" })
        try store.releaseUse(directory: copy)
        #expect(try store.uses().map(\.directory) == [try FileSystem.resolve(machine)])
    }

    @Test("a copy of a machine's folder is a machine of its own")
    func copiedMachine() throws {
        let box = try add("a", "1")
        let machine = folder.path.appending("one")
        try FileSystem.makeDirectory(machine)
        try store.recordUse(of: box, machine: "web", directory: machine)
        try folder.run("cp", "-r", "one", "two")
        try store.recordUse(of: box, machine: "web", directory: folder.path.appending("two"))
        #expect(try store.uses().count == 2)
        // And its end is not the other's.
        try store.releaseUse(directory: folder.path.appending("two"))
        #expect(try store.uses().map(\.directory) == [try FileSystem.resolve(machine)])
    }

    @Test("a box in use is not replaced by other disks")
    func replaceInUse() throws {
        let box = try add("a", "1")
        try store.recordUse(of: box, machine: "web", directory: folder.path)
        var options = BoxStore.AddOptions()
        options.whenPresent = .replace
        _ = try add("a", "1", options)
        let disk = QcowFixture.header(virtualSize: 2 << 30)
        let file = try folder.file(
            "new.box", BoxFixture.archive(BoxFixture.metadata(name: "a", version: "1"), disk: disk))
        #expect(throws: BoxError.self) { try store.add(file, options) }
        #expect(try FileSystem.read(box.disk.path) == QcowFixture.header())
    }

    @Test("a box whose record is damaged is repaired under the machines that lie on the very same disk")
    func repairInUse() throws {
        let box = try add("a", "1")
        try store.recordUse(of: box, machine: "web", directory: folder.path)
        let record = box.directory.removingLastComponent().appending("record.json")
        try AtomicFile.write("{", to: record)
        let problem = #expect(throws: BoxError.self) { try store.box(box.identity) }
        #expect(problem?.remedy?.contains("wander box add --force a --box-version 1") == true)
        var options = BoxStore.AddOptions()
        options.whenPresent = .replace
        let other = try folder.file(
            "other.box",
            BoxFixture.archive(
                BoxFixture.metadata(name: "a", version: "1"), disk: QcowFixture.header(virtualSize: 2 << 30)))
        let machines = try store.uses().map(\.description)
        #expect(throws: BoxError.inUse(box.identity, machines: machines)) {
            try store.add(other, options)
        }
        let repaired = try add("a", "1", options)
        #expect(repaired.diskDigest == box.diskDigest)
        #expect(try store.box(box.identity) == repaired)
    }

    @Test("the box that a machine was made from takes the place of another that was put under its name")
    func putBack() throws {
        let box = try add("a", "1")
        try store.recordUse(of: box, machine: "web", directory: folder.path)
        try store.remove(box.identity, force: true)
        let other = try folder.file(
            "other.box",
            BoxFixture.archive(
                BoxFixture.metadata(name: "a", version: "1"), disk: QcowFixture.header(virtualSize: 2 << 30)))
        _ = try store.add(other)
        var options = BoxStore.AddOptions()
        options.whenPresent = .replace
        #expect(try add("a", "1", options).diskDigest == box.diskDigest)
    }

    @Test("what a killed process left is swept by the next change, what a living one works on is not")
    func sweep() throws {
        _ = try add("a", "1")
        let dead = store.root.pushing("staging/dead/content")
        try FileSystem.makeDirectory(dead)
        try AtomicFile.write("x", to: dead.appending("box.img"))
        try AtomicFile.write("", to: store.root.pushing("staging/dead/lock"))
        let living = try StagingDirectory.create(in: store.root.appending("staging"))
        let name = try #require(living.path.lastComponent).string
        _ = try add("a", "2")
        #expect(try FileSystem.list(store.root.appending("staging")) == [name])
        _ = consume living
        #expect(try FileSystem.list(store.root.appending("staging")).isEmpty)
    }

    @Test("a damaged record does not hide the other boxes")
    func damagedRecord() throws {
        let box = try add("a", "1")
        _ = try add("b", "1")
        let record = box.directory.removingLastComponent().appending("record.json")
        try AtomicFile.write("{", to: record)
        let listing = try store.list()
        #expect(listing.boxes.map(\.name.description) == ["b"])
        #expect(listing.problems.count == 1)
        #expect(try store.damagedBoxes(named: box.name).map(\.identity) == [box.identity])
        try store.remove(box.identity)
    }
}
