import FUSE
import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@Suite struct FileTests {
    @Test("a file that the guest makes is the host's user's, with the guest's mode, whatever the host's umask")
    func create() throws {
        let guest = try GuestKernel(TemporaryFolder())
        for mode in [0o600, 0o644, 0o666, 0o777, 0o4755, 0o2775] as [UInt32] {
            let name = "f\(mode)"
            let (entry, opened) = guest.create(name, mode: mode)
            #expect(opened.error == 0)
            #expect(guest.write(entry.node, opened.handle, Array("hello".utf8)).value(at: 0, UInt32.self) == 5)
            #expect(guest.read(entry.node, opened.handle).bytes == Array("hello".utf8))
            #expect(guest.release(entry.node, opened.handle) == 0)
            let truth = try hostStatus(guest.folder(name))
            #expect(truth.st_mode & 0o7777 == mode & 0o777)
            #expect(truth.st_uid == geteuid())
            #expect(try FileSystem.read(guest.folder(name)) == Array("hello".utf8))
            #expect(guest.attributes(entry.node).inode == truth.st_ino)
        }
    }

    @Test("CREATE opens what is there, unless O_EXCL; O_TRUNC empties it")
    func createExisting() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file("a", [1, 2, 3])
        #expect(guest.create("a", O_RDWR | O_EXCL).opened.error == -EEXIST)
        let (entry, opened) = guest.create("a", O_RDWR)
        #expect(guest.read(entry.node, opened.handle).bytes == [1, 2, 3])
        let emptied = guest.create("a", O_RDWR | O_TRUNC)
        #expect(emptied.entry.node == entry.node)
        #expect(guest.read(entry.node, emptied.opened.handle).bytes.isEmpty)
    }

    @Test("reads and writes anywhere, across buffers of any size", arguments: [1, 7, 61, 4096, 1 << 20])
    func contents(segmentSize: Int) throws {
        let guest = try GuestKernel(TemporaryFolder())
        guest.segmentSize = segmentSize
        var random = SeededGenerator(seed: 1)
        var truth = [UInt8](repeating: 0, count: 20000)
        let (entry, opened) = guest.create("a")
        for _ in 0..<40 {
            let start = Int(random.next(below: 15000))
            let count = Int(random.next(below: 5000))
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            truth.replaceSubrange(start..<start + count, with: bytes)
            let reply = guest.write(entry.node, opened.handle, at: UInt64(start), bytes)
            #expect(reply.error == 0 && reply.value(at: 0, UInt32.self) == UInt32(count))
        }
        let size = Int(guest.attributes(entry.node).size)
        #expect(try FileSystem.read(guest.folder("a")) == Array(truth[..<size]))
        for _ in 0..<40 {
            let start = Int(random.next(below: 21000))
            let count = Int(random.next(below: 5000))
            let reply = guest.read(entry.node, opened.handle, at: UInt64(start), UInt32(count))
            #expect(reply.bytes == Array(truth[..<size].dropFirst(start).prefix(count)))
        }
    }

    @Test("reads no more than there is room for, and checks where and how much")
    func readLimits() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file("a", [UInt8](repeating: 7, count: 3000))
        let node = guest.node("a")
        let handle = guest.open(node).handle
        #expect(guest.read(node, handle, .max, room: 1016).bytes.count == 1000)
        #expect(guest.read(node, handle, at: .max, 1).error == -EINVAL)
        #expect(guest.read(node, handle, at: UInt64(Int64.max), 2).error == -EINVAL)
        #expect(guest.read(node, handle, at: 1 << 62, 1).bytes.isEmpty)
        #expect(guest.write(node, handle, [1]).error == -EBADF)
        let writer = guest.open(node, O_WRONLY).handle
        #expect(guest.read(node, writer).error == -EBADF)
        #expect(guest.write(node, writer, [1], size: 2).error == -EINVAL)
        #expect(guest.write(node, writer, at: .max, [1]).error == -EINVAL)
    }

    @Test("appends at the end that the file has by now, but puts cached pages where they belong")
    func append() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file("a", [1])
        let node = guest.node("a")
        let handle = guest.open(node, O_RDWR | O_APPEND).handle
        // The host appends, of which the guest does not know yet.
        _ = try guest.folder.file("a", [1, 2])
        #expect(guest.write(node, handle, at: 1, [3], flags: O_RDWR | O_APPEND).error == 0)
        #expect(try FileSystem.read(guest.folder("a")) == [1, 2, 3])
        #expect(guest.write(node, handle, at: 0, [9], flags: O_RDWR | O_APPEND, fromCache: true).error == 0)
        #expect(try FileSystem.read(guest.folder("a")) == [9, 2, 3])
        #expect(guest.write(node, handle, at: 0, [8], flags: O_RDWR | O_SYNC).error == 0)
        #expect(try FileSystem.read(guest.folder("a")) == [8, 2, 3])
    }

    @Test("an open file outlives its name, its replacement and its forgetting")
    func unlinked() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file("a", [1, 2])
        _ = try guest.folder.file("b", [3])
        let node = guest.node("a")
        let handle = guest.open(node, O_RDWR).handle
        #expect(guest.rename("b", to: "a") == 0)
        #expect(guest.attributes(node).size == 2 && guest.attributes(node).links == 0)
        #expect(
            guest.change(node) {
                $0.valid = 1 << 3
                $0.size = 1
            }.size == 1)
        #expect(
            guest.change(node) {
                $0.valid = 1
                $0.mode = 0o600
            }.mode == 0o100600)
        #expect(guest.read(node, handle).bytes == [1])
        // Opened again without a name, as through the guest's /proc.
        #expect(guest.read(node, guest.open(node).handle).bytes == [1])
        #expect(try FileSystem.read(guest.folder("a")) == [3])
        _ = guest.forget(node)
        #expect(guest.read(node, handle).bytes == [1])
        #expect(guest.release(node, handle) == 0)
        #expect(guest.release(node, handle) == -EBADF)
    }

    @Test("a file that the host replaces all the time can be opened, and is what it is now")
    func replacedOften() throws {
        let guest = try GuestKernel(TemporaryFolder()) { $0.descriptorLimit = 64 }
        func save(_ name: String, _ version: UInt8) throws {
            let saved = try guest.folder.file("new", [version])
            try FileSystem.rename(saved, to: guest.folder(name))
        }
        for index in 0..<40 {
            let name = "f\(index)"
            try save(name, 0)
            let old = guest.node(name)
            try save(name, 1)
            #expect(guest.open(old).error == -ESTALE)
            for version in 2..<5 as Range<UInt8> {
                // What the guest's kernel does next. The name must be looked up each time.
                let entry = guest.lookUp(name)
                #expect(entry.error == 0 && entry.validity == 0)
                try save(name, version)
                let opened = guest.open(entry.node)
                #expect(opened.error == 0 && guest.read(entry.node, opened.handle).bytes == [version - 1])
                #expect(guest.release(entry.node, opened.handle) == 0)
            }
            _ = guest.lookUp(name)
        }
    }

    @Test("a folder or a link that the host replaces all the time can be opened", arguments: [true, false])
    func replacedFolders(isFolder: Bool) throws {
        let guest = try GuestKernel(TemporaryFolder())
        var version = 0
        func replace() throws {
            version += 1
            let new = guest.folder("new\(version)")
            if isFolder {
                _ = try guest.folder.file("new\(version)/v\(version)")
                guard version > 1 else { return try FileSystem.rename(new, to: guest.folder("a")) }
                // The old one has the other's name then, and goes.
                try FileSystem.exchange(new, guest.folder("a"))
                try FileSystem.removeTree(new)
            } else {
                #expect(new.withPlatformString { symlink("v\(version)", $0) } == 0)
                try FileSystem.rename(new, to: guest.folder("a"))
            }
        }
        /// Opens the folder, or reads the link.
        func use(_ node: UInt64) -> Int32 {
            guest.ask(isFolder ? 27 : 5, node, isFolder ? little(0 as UInt64) : []).error
        }
        try replace()
        let old = guest.node("a")
        try replace()
        #expect(use(old) == -ESTALE)
        for _ in 0..<4 {
            let entry = guest.lookUp("a")
            #expect(entry.error == 0 && entry.validity == 0)
            try replace()
            #expect(use(entry.node) == 0)
        }
    }

    @Test("a file that the host replaces all the time can be given another name; one that is open and gone cannot")
    func linkedOften() throws {
        let guest = try GuestKernel(TemporaryFolder())
        func save(_ version: UInt8) throws {
            try FileSystem.rename(guest.folder.file("new", [version]), to: guest.folder("a"))
        }
        /// As most programs do: the fixture's files are made without a name, and can be linked for ever.
        func saveNamed(_ version: UInt8) throws {
            try OwnedDescriptor.open(guest.folder("new"), [.writeOnly, .create, .exclusive]).writeAll([version])
            try FileSystem.rename(guest.folder("new"), to: guest.folder("a"))
        }
        try save(0)
        let old = guest.node("a")
        try save(1)
        #expect(guest.link(old, as: "never").error == -ESTALE)
        for version in 2..<5 as Range<UInt8> {
            let node = guest.node("a")
            try save(version)
            let linked = guest.link(node, as: "l\(version)")
            #expect(linked.error == 0 && linked.node != node)
            #expect(try FileSystem.read(guest.folder("l\(version)")) == [version])
            // With another name left, the old file itself would be linked.
            try FileSystem.remove(guest.folder("l\(version)"))
        }
        try saveNamed(8)
        let node = guest.node("a")
        let handle = guest.open(node).handle
        try save(9)
        #expect(guest.link(node, as: "gone").error == -ENOENT)
        #expect(guest.release(node, handle) == 0)
    }

    @Test("a removed file or folder that the guest still knows is still there for it")
    func removed() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file("a", [1, 2])
        try FileSystem.makeDirectory(guest.folder("d"))
        let (file, folder) = (guest.node("a"), guest.node("d"))
        #expect(guest.remove("a") == 0 && guest.removeFolder("d") == 0)
        #expect(guest.attributes(file).size == 2 && guest.attributes(file).links == 0)
        #expect(guest.attributes(folder).links == 0)
        #expect(guest.makeFolder("x", in: folder).error == -ENOENT)
    }

    @Test("keeps the guest's cache when nothing changed since the last time, and only then")
    func keepCache() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let path = try guest.folder.file("a", [1])
        let node = guest.node("a")
        // Just made: a change within the same tick would not be seen.
        for _ in 0..<2 { #expect(guest.open(node).flags & 2 == 0) }
        sleep(4)
        #expect(guest.open(node).flags & 2 == 0)
        #expect(guest.open(node).flags & 2 != 0)
        try OwnedDescriptor.open(path, .writeOnly).writeAll([2])
        #expect(guest.open(node).flags & 2 == 0)
    }

    @Test("reserves, punches and finds holes, as the host does")
    func holes() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let (entry, opened) = guest.create("a")
        func allocate(_ offset: UInt64, _ length: UInt64, _ mode: UInt32) -> Int32 {
            guest.ask(
                43, entry.node,
                little(opened.handle) + little(offset) + little(length) + little(mode) + little(0 as UInt32)
            ).error
        }
        #expect(allocate(0, 1 << 20, 0) == 0)
        #expect(guest.attributes(entry.node).size == 1 << 20)
        #expect(guest.write(entry.node, opened.handle, [UInt8](repeating: 1, count: 12288)).error == 0)
        #expect(allocate(4096, 4096, 3) == 0)
        #expect(guest.read(entry.node, opened.handle, at: 4095, 2).bytes == [1, 0])
        let host = try OwnedDescriptor.open(guest.folder("a"), .readOnly)
        for whence in [3, 4] as [UInt32] {
            let reply = guest.ask(
                46, entry.node, little(opened.handle) + little(4096 as UInt64) + little(whence) + little(0 as UInt32))
            #expect(reply.value(at: 0, Int64.self) == Int64(lseek(host.rawValue, 4096, Int32(whence))))
        }
        // Nothing else: collapsing a range, a guess of a mode, other places to seek from, what is no range.
        for mode in [0x08, 0x20, 0x40, 0x80, 2] as [UInt32] { #expect(allocate(0, 4096, mode) == -EOPNOTSUPP) }
        #expect(allocate(.max, 1, 0) == -EINVAL)
        #expect(allocate(1, UInt64(Int64.max), 0) == -EINVAL)
        for whence in [0, 1, 2, 5] as [UInt32] {
            let arguments = little(opened.handle) + little(0 as UInt64) + little(whence) + little(0 as UInt32)
            #expect(guest.ask(46, entry.node, arguments).error == -EINVAL)
        }
    }

    @Test("copies within the host")
    func copy() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file("a", Array(0..<200))
        let source = guest.node("a")
        let from = guest.open(source).handle
        let (target, opened) = guest.create("b")
        func copy(_ length: UInt64, flags: UInt64 = 0, node: UInt64? = nil) -> GuestKernel.Reply {
            var arguments = little(from) + little(10 as UInt64) + little(node ?? target.node) + little(opened.handle)
            arguments += little(5 as UInt64) + little(length) + little(flags)
            return guest.ask(47, source, arguments)
        }
        #expect(copy(.max).value(at: 0, UInt32.self) == 190)
        #expect(try FileSystem.read(guest.folder("b")) == [0, 0, 0, 0, 0] + Array(10..<200))
        #expect(copy(1, flags: 1).error == -EINVAL)
        #expect(copy(1, node: 1).error == -EBADF)
    }

    @Test("a file without a name can get one")
    func temporaryFile() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let arguments = little(UInt32(O_RDWR)) + little(0o100640 as UInt32) + little(0 as UInt64) + text("#1")
        let reply = guest.ask(51, 1, arguments)
        let (entry, opened) = (Entry(reply), GuestKernel.Opened(reply, at: 128))
        #expect(entry.error == 0 && entry.attributes.links == 0 && entry.attributes.mode == 0o100640)
        #expect(try FileSystem.list(guest.folder.path) == [])
        #expect(guest.write(entry.node, opened.handle, [1]).error == 0)
        #expect(guest.link(entry.node, as: "a").node == entry.node)
        #expect(guest.release(entry.node, opened.handle) == 0)
        #expect(try FileSystem.read(guest.folder("a")) == [1])
        #expect(guest.attributes(entry.node).links == 1)
        #expect(guest.lookUp("a").node == entry.node)
    }

    @Test("flushes and synchronizes")
    func synchronize() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let (entry, opened) = guest.create("a")
        let handle = little(opened.handle)
        #expect(guest.ask(25, entry.node, handle + [UInt8](repeating: 0, count: 16)).error == 0)
        for flags in [0, 1] as [UInt32] {
            #expect(guest.ask(20, entry.node, handle + little(flags) + little(0 as UInt32)).error == 0)
        }
        let folder = GuestKernel.Opened(guest.ask(27, 1, little(0 as UInt64)))
        #expect(guest.ask(30, 1, little(folder.handle) + little(0 as UInt64)).error == 0)
        #expect(guest.ask(50, 1, little(0 as UInt64)).error == 0)
    }
}
