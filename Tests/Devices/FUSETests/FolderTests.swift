import FUSE
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite struct FolderTests {
    @Test("lists every entry once, whatever the size of the guest's buffer", arguments: [200, 600, 4096, 32768])
    func list(size: UInt32) throws {
        let guest = try GuestKernel(TemporaryFolder())
        var names = Set<String>()
        for index in 0..<600 {
            let name = String(repeating: "n", count: index % 40) + "\(index)"
            names.insert(name)
            _ = try guest.folder.file("d/" + name)
        }
        let node = guest.node("d")
        for plus in [false, true] where !(plus && size < 600) {
            let entries = guest.list(node, size: size, plus: plus)
            #expect(entries.count == names.count + 2)
            #expect(Set(entries.map(\.name)) == names.union([".", ".."]))
            // DT_REG
            for entry in entries where names.contains(entry.name) {
                #expect(entry.type == 8)
                #expect((entry.node != 0) == plus)
            }
        }
    }

    @Test("READDIRPLUS tells what LOOKUP tells, and counts as one")
    func plus() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file("a", [1])
        try FileSystem.makeDirectory(guest.folder("d"))
        let entries = guest.list(1, plus: true)
        for entry in entries where entry.name != "." && entry.name != ".." {
            let found = guest.lookUp(entry.name)
            #expect(found.node == entry.node && found.attributes.mode == entry.mode)
            #expect(found.attributes.inode == entry.inode)
            _ = guest.forget(entry.node, 1)
            #expect(guest.attributes(entry.node).error == 0)
            _ = guest.forget(entry.node, 1)
            #expect(guest.attributes(entry.node).error == -ESTALE)
        }
        for entry in entries where entry.name == "." || entry.name == ".." {
            #expect(entry.node == 0)
            // What is above the folder is not told.
            #expect(entry.inode == guest.attributes(1).inode)
        }
    }

    @Test("goes on from any offset it gave, and begins anew from 0")
    func offsets() throws {
        let guest = try GuestKernel(TemporaryFolder())
        for index in 0..<300 { _ = try guest.folder.file("f\(index)") }
        let handle = GuestKernel.Opened(guest.ask(27, 1, little(0 as UInt64))).handle
        let all = guest.readFolder(1, handle, size: 65536).entries
        #expect(all.count == 302)
        var random = SeededGenerator(seed: 2)
        for _ in 0..<100 {
            let index = Int(random.next(below: 301))
            let rest = guest.readFolder(1, handle, from: all[index].offset, size: 300).entries
            #expect(rest == Array(all[(index + 1)...].prefix(rest.count)) && !rest.isEmpty)
        }
        _ = try guest.folder.file("new")
        #expect(guest.readFolder(1, handle, size: 65536).entries.contains { $0.name == "new" })
        // A buffer for less than an entry is no end.
        #expect(guest.readFolder(1, handle, size: 24).error == -EINVAL)
        #expect(guest.readFolder(1, handle, from: .max).error == -EINVAL)
        #expect(guest.readFolder(1, handle + 1).error == -EBADF)
        #expect(guest.read(1, handle).error == -EBADF)
    }

    @Test("a folder that is read anew is read from the host, whichever thread had entries of it")
    func readAnew() throws {
        let guest = try GuestKernel(TemporaryFolder())
        for index in 0..<300 { _ = try guest.folder.file("f\(index)") }
        let handle = GuestKernel.Opened(guest.ask(27, 1, little(0 as UInt64))).handle
        // Not to the end, where the memory would be used again.
        let before = guest.readFolder(1, handle, size: 8192).entries
        #expect(before.count > 200)
        // Another request has the memory with those entries, while the folder is begun again in other memory.
        let gate = Gate()
        let other = try Thread(name: "other") { [server = guest.server] in
            var exchange = WaitingExchange(gate: gate)
            _ = server.serve(&exchange)
        }
        while !gate.isReached.load(ordering: .acquiring) { sched_yield() }
        for entry in before[100...] where entry.name.hasPrefix("f") { try FileSystem.remove(guest.folder(entry.name)) }
        let again = guest.readFolder(1, handle, size: 1024).entries
        gate.isOpen.store(true, ordering: .releasing)
        other.join()
        let rest = guest.readFolder(1, handle, from: again[3].offset, size: 32768).entries
        #expect(!rest.isEmpty && rest.allSatisfy { !FileSystem.isAbsent(guest.folder($0.name)) })
    }

    private final class Gate: Sendable {
        let isReached = Atomic<Bool>(false)
        let isOpen = Atomic<Bool>(false)
    }

    /// A LOOKUP whose arguments come when the gate opens.
    private struct WaitingExchange: FUSEExchange {
        let gate: Gate
        let bytes =
            little(42 as UInt32) + little(1 as UInt32) + little(1 as UInt64) + little(1 as UInt64)
            + [UInt8](repeating: 0, count: 16) + text("x")
        var requestByteCount: Int { bytes.count }
        let replyCapacity = 4096

        mutating func copyRequest(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
            if offset > 0 { gate.isReached.store(true, ordering: .releasing) }
            while offset > 0, !gate.isOpen.load(ordering: .acquiring) { sched_yield() }
            let part = bytes.dropFirst(offset).prefix(buffer.count)
            buffer.copyBytes(from: part)
            return part.count
        }

        mutating func copyReply(_ bytes: UnsafeRawBufferPointer, at offset: Int) {}
        mutating func withRequestVectors(_ range: Range<Int>, _ body: (UnsafeBufferPointer<iovec>) -> Int) -> Int { 0 }
        mutating func withReplyVectors(_ range: Range<Int>, _ body: (UnsafeBufferPointer<iovec>) -> Int) -> Int { 0 }
    }

    @Test("two threads that read one open folder each see all of it")
    func concurrentReading() throws {
        let guest = try GuestKernel(TemporaryFolder())
        for index in 0..<1000 { _ = try guest.folder.file("f\(index)") }
        let handle = GuestKernel.Opened(guest.ask(27, 1, little(0 as UInt64))).handle
        try Thread.forEach(Array(0..<4), name: "reader") { _ in
            var names = Set<String>()
            var offset: UInt64 = 0
            while let last = guest.readFolder(1, handle, from: offset).entries.last.map({ last in
                last.offset
            }) {
                let page = guest.readFolder(1, handle, from: offset).entries
                names.formUnion(page.map(\.name))
                offset = page.last?.offset ?? last
            }
            #expect(names.count == 1002)
        }
    }

    @Test("makes folders, links, pipes and sockets as the host would, and no devices")
    func make() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let folder = guest.makeFolder("d", mode: 0o6777)
        #expect(folder.error == 0)
        #expect(try hostStatus(guest.folder("d")).st_mode & 0o7777 & ~0o6000 == 0o777)
        #expect(guest.makeLink("l", in: folder.node, to: "/etc/passwd").attributes.mode == 0o120777)
        #expect(guest.ask(5, guest.node("d/l")).bytes == Array("/etc/passwd".utf8))
        #expect(guest.ask(5, folder.node).error == -EINVAL)
        for kind in [0o100000, 0o010000, 0o140000] as [UInt32] {
            let name = "n\(kind)"
            #expect(guest.makeNode(name, in: folder.node, mode: kind | 0o6640).attributes.mode == kind | 0o640)
            #expect(try hostStatus(guest.folder("d/" + name)).st_mode == kind | 0o640)
        }
        #expect(guest.makeNode("z", mode: 0o640).attributes.mode == 0o100640)
        for kind in [0o020000, 0o060000, 0o040000, 0o120000, 0o170000] as [UInt32] {
            #expect(guest.makeNode("x", mode: kind | 0o644).error == -EPERM)
        }
        #expect(guest.makeFolder("d").error == -EEXIST)
        #expect(guest.makeLink("e", to: "").error == -ENOENT)
        #expect(guest.makeLink("e", to: String(repeating: "x", count: 4096)).error == -ENAMETOOLONG)
        #expect(guest.makeLink("e", to: String(repeating: "x", count: 4095)).error == 0)
    }

    @Test("opens no pipe, socket or link")
    func special() throws {
        let guest = try GuestKernel(TemporaryFolder())
        for (name, kind) in [("p", 0o010000), ("s", 0o140000)] as [(String, UInt32)] {
            let node = guest.makeNode(name, mode: kind | 0o666).node
            for flags in [O_RDONLY, O_WRONLY, O_RDWR] { #expect(guest.open(node, flags).error == -EPERM) }
            #expect(guest.create(name, O_RDWR).opened.error == -ESTALE)
            #expect(guest.change(node) { $0.valid = 1 << 3 }.error == -EINVAL)
            #expect(
                guest.change(node) {
                    $0.valid = 1
                    $0.mode = 0o600
                }.mode == kind | 0o600)
        }
        _ = try guest.folder.file("target", [1])
        let link = guest.makeLink("l", to: "target").node
        #expect(guest.open(link).error == -EPERM)
        #expect(guest.open(link, O_WRONLY | O_TRUNC).error == -EPERM)
        #expect(guest.create("l", O_RDWR | O_TRUNC).opened.error == -ESTALE)
        #expect(try FileSystem.read(guest.folder("target")) == [1])
        #expect(guest.open(1).error == -EISDIR)
        #expect(guest.ask(27, link, little(0 as UInt64)).error == -ENOTDIR)
    }

    @Test("links files, and removes names as the host would")
    func linkAndRemove() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file("d/a", [1])
        let (folder, file) = (guest.node("d"), guest.node("d/a"))
        let linked = guest.link(file, as: "b")
        #expect(linked.node == file && linked.attributes.links == 2)
        #expect(guest.link(folder, as: "c").error == -EPERM)
        // A link is linked itself, not what it leads to.
        let symbolic = guest.makeLink("s", to: "d/a").node
        #expect(guest.link(symbolic, as: "t").attributes.mode & 0o170000 == 0o120000)
        #expect(guest.remove("d") == -EISDIR)
        #expect(guest.removeFolder("b") == -ENOTDIR)
        #expect(guest.removeFolder("d") == -ENOTEMPTY)
        #expect(guest.remove("a", in: folder) == 0)
        #expect(guest.attributes(file).links == 1)
        #expect(guest.removeFolder("d") == 0 && guest.remove("b") == 0)
        #expect(guest.remove("b") == -ENOENT)
    }

    @Test("renames within and between folders; known files follow their names")
    func rename() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file("d/deep/a", [1])
        _ = try guest.folder.file("e/b", [2, 3])
        let (d, e, a) = (guest.node("d"), guest.node("e"), guest.node("d/deep/a"))
        let b = guest.node("e/b")
        #expect(guest.rename("deep", in: d, to: "down", in: e) == 0)
        #expect(guest.attributes(a).size == 1)
        #expect(try FileSystem.read(guest.folder("e/down/a")) == [1])
        #expect(guest.rename("b", in: e, to: "a", in: guest.node("e/down"), flags: 1) == -EEXIST)
        #expect(guest.rename("b", in: e, to: "a", in: guest.node("e/down"), flags: 2) == 0)
        #expect(guest.attributes(a).size == 1 && guest.attributes(b).size == 2)
        #expect(try FileSystem.read(guest.folder("e/b")) == [1])
        #expect(guest.node("e/b") == a && guest.node("e/down/a") == b)
        #expect(guest.rename("b", in: e, to: "a", in: guest.node("e/down"), flags: 0) == 0)
        #expect(guest.attributes(a).size == 1)
        // Replaced, but still known.
        #expect(guest.attributes(b).links == 0)
        // RENAME_WHITEOUT makes a device; others are unknown.
        for flags in [3, 4, 8] as [UInt32] { #expect(guest.rename("e", to: "f", flags: flags) == -EINVAL) }
        #expect(guest.rename("e", in: 1, to: "x", in: guest.node("e/down")) == -EINVAL)
        #expect(guest.rename("nothing", to: "x") == -ENOENT)
    }

    @Test("two names of one file, renamed to each other, both stay")
    func renameToSelf() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file("a", [1])
        let node = guest.node("a")
        _ = guest.link(node, as: "b")
        #expect(guest.rename("a", to: "b") == 0)
        #expect(guest.attributes(node).links == 2)
        #expect(guest.remove("b") == 0 && guest.remove("a") == 0)
        #expect(guest.attributes(node).links == 0)
    }

    @Test("a hidden name can be neither seen nor made")
    func hidden() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file(".wander/key", [1])
        _ = try guest.folder.file("a", [1])
        for plus in [false, true] {
            #expect(!guest.list(1, plus: plus).contains { $0.name == ".wander" })
        }
        let node = guest.node("a")
        for name in [".wander", ".WANDER", ".wan\u{200d}der"] {
            #expect(guest.remove(name) == -ENOENT && guest.removeFolder(name) == -ENOENT)
            #expect(guest.rename(name, to: "seen") == -ENOENT)
            #expect(guest.rename("a", to: name) == -EPERM)
            #expect(guest.rename("a", to: name, flags: 2) == -EPERM)
            #expect(guest.makeFolder(name).error == -EPERM && guest.makeNode(name, mode: 0o644).error == -EPERM)
            #expect(guest.create(name).opened.error == -EPERM && guest.makeLink(name, to: "a").error == -EPERM)
            #expect(guest.link(node, as: name).error == -EPERM)
        }
        #expect(try FileSystem.read(guest.folder(".wander/key")) == [1])
    }

    @Test("a name that only looks like a hidden one is a name as any other")
    func notHidden() throws {
        let guest = try GuestKernel(TemporaryFolder())
        for bytes in [
            [0xff] + Array(".wander".utf8), Array(".wander\u{301}".utf8), Array("é.wander".utf8),
            Array(".wander.".utf8), Array("wander".utf8), Array(".wander".utf8) + [0xe2, 0x80],
        ] {
            let made = guest.ask(9, 1, little(0o755 as UInt32) + little(0 as UInt32) + bytes + [0])
            #expect(made.error == 0, "\(bytes)")
            #expect(Entry(guest.ask(1, 1, bytes + [0])).node != 0)
        }
        #expect(guest.list(1).count == 8)
    }

    @Test("a tree whose folders have more descriptors than are kept is as good as any other")
    func manyFolders() throws {
        let guest = try GuestKernel(TemporaryFolder()) { $0.descriptorLimit = 64 }
        var parents: [UInt64] = []
        for index in 0..<200 {
            _ = try guest.folder.file("d\(index)/e/f", [UInt8(index)])
            parents.append(guest.node("d\(index)/e"))
        }
        for round in 0..<2 {
            for index in 0..<200 {
                let node = guest.lookUp("f", in: parents[index]).node
                let handle = guest.open(node).handle
                #expect(guest.read(node, handle).bytes == [UInt8(index)], "round \(round)")
                #expect(guest.release(node, handle) == 0)
            }
        }
        // Where the host has moved a folder whose descriptor was let go of, nothing is found in it any more.
        try FileSystem.rename(guest.folder("d0"), to: guest.folder("moved"))
        let stale = guest.lookUp("f", in: parents[0]).error
        #expect(stale == -ESTALE || stale == 0)
        #expect(guest.node("moved/e") == parents[0])
        #expect(guest.lookUp("f", in: parents[0]).error == 0)
    }

    @Test("a path of many folders can be gone down again")
    func depth() throws {
        let guest = try GuestKernel(TemporaryFolder()) { $0.descriptorLimit = 64 }
        var node: UInt64 = 1
        for _ in 0..<300 { node = guest.makeFolder("d", in: node).node }
        #expect(node != 0)
        // Other folders take the descriptors.
        for index in 0..<50 { _ = guest.makeFolder("x", in: guest.makeFolder("w\(index)").node) }
        #expect(guest.makeFolder("last", in: node).error == 0)
    }

    /// File systems that are mounted below /dev begin with the same numbers.
    private static let mounted = ["shm", "pts", "mqueue", "hugepages"].filter { name in
        guard let inner = try? hostStatus(FilePath("/dev").appending(name)), let outer = try? hostStatus("/dev") else {
            return false
        }
        return inner.st_dev != outer.st_dev
    }

    @Test(
        "files of several file systems have numbers of their own",
        .enabled(if: mounted.count > 1, "nothing is mounted below /dev"))
    func severalFileSystems() throws {
        let guest = try GuestKernel(TemporaryFolder(), at: "/dev") { $0.isReadOnly = true }
        let root = guest.attributes(1)
        #expect(root.inode == (try hostStatus("/dev").st_ino))
        let entries = Self.mounted.map { guest.lookUp($0) }
        #expect(Set(entries.map(\.attributes.inode)).union([root.inode]).count == entries.count + 1)
        // Each keeps its number, and READDIRPLUS tells the same.
        let listed = guest.list(1, plus: true)
        for (name, entry) in zip(Self.mounted, entries) {
            #expect(guest.attributes(entry.node).inode == entry.attributes.inode)
            #expect(listed.first { $0.name == name }?.inode == entry.attributes.inode)
        }
        let null = guest.lookUp("null")
        #expect(null.attributes.device == 0 && guest.open(null.node).error == -EPERM)
    }
}
