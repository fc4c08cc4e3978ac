import FUSE
import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@Suite struct NodeTests {
    @Test("answers INIT as a server of cached files")
    func initialization() throws {
        let guest = try GuestKernel(TemporaryFolder(), mounts: false)
        let reply = guest.initialize()
        #expect(reply.error == 0 && reply.bytes.count == 64)
        #expect(reply.value(at: 0, UInt32.self) == 7)
        #expect(reply.value(at: 4, UInt32.self) >= 31)
        let flags: UInt32 = reply.value(at: 12)
        // ASYNC_READ, ATOMIC_O_TRUNC, BIG_WRITES, AUTO_INVAL_DATA, READDIRPLUS and _AUTO, PARALLEL_DIROPS, MAX_PAGES,
        // HANDLE_KILLPRIV_V2.
        for bit in [0, 3, 5, 12, 13, 14, 18, 22, 28] as [UInt32] { #expect(flags & 1 << bit != 0, "bit \(bit)") }
        // POSIX_LOCKS, EXPORT_SUPPORT, DONT_MASK, FLOCK_LOCKS, WRITEBACK_CACHE, POSIX_ACL, SUBMOUNTS, SETXATTR_EXT.
        for bit in [1, 4, 6, 10, 16, 20, 27, 29] as [UInt32] { #expect(flags & 1 << bit == 0, "bit \(bit)") }
        #expect(reply.value(at: 20, UInt32.self) == 1 << 20)
        #expect(reply.value(at: 28, UInt16.self) == 256)
    }

    @Test("agrees on nothing that the guest did not offer, and on version 7 alone")
    func negotiation() throws {
        let guest = try GuestKernel(TemporaryFolder(), mounts: false)
        #expect(guest.attributes(1).error == -EIO)
        #expect(guest.initialize(flags: 0).value(at: 12, UInt32.self) == 0)
        #expect(guest.initialize(minor: 26).error == -EPROTO)
        #expect(guest.initialize(major: 6).error == -EPROTO)
        let newer = guest.initialize(major: 8)
        #expect(newer.error == 0 && newer.value(at: 0, UInt32.self) == 7)
    }

    @Test("finds files and tells what the host tells of them")
    func lookUp() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("a/b.txt", Array("hello".utf8))
        try FileSystem.setPermissions(file, 0o640)
        let guest = try GuestKernel(folder)
        let parent = guest.lookUp("a")
        #expect(parent.error == 0 && parent.attributes.mode & 0o170000 == 0o040000 && parent.validity == 1)
        let entry = guest.lookUp("b.txt", in: parent.node)
        let truth = try hostStatus(file)
        #expect(entry.attributes.inode == truth.st_ino)
        #expect(entry.attributes.size == 5)
        #expect(entry.attributes.blocks == UInt64(truth.st_blocks))
        #expect(entry.attributes.mode == 0o100640)
        #expect(entry.attributes.links == 1)
        #expect(entry.attributes.modified == truth.st_mtim.tv_sec)
        #expect(entry.attributes.modifiedNanoseconds == UInt32(truth.st_mtim.tv_nsec))
        #expect(guest.attributes(entry.node) == entry.attributes)
        // The same file is the same node.
        #expect(guest.lookUp("b.txt", in: parent.node).node == entry.node)
    }

    @Test("a name that is not there is an answer that holds for a second")
    func negativeLookUp() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let entry = guest.lookUp("nothing")
        #expect(entry.error == 0 && entry.node == 0 && entry.validity == 1)
    }

    @Test("refuses what is no name", arguments: ["", ".", "..", "a/b", "/etc"])
    func invalidName(name: String) throws {
        let guest = try GuestKernel(TemporaryFolder())
        #expect(guest.ask(1, 1, text(name)).error == -EINVAL)
    }

    @Test("refuses names that are too long or have no end")
    func endlessName() throws {
        let guest = try GuestKernel(TemporaryFolder())
        #expect(guest.ask(1, 1, text(String(repeating: "a", count: 256))).error == -ENAMETOOLONG)
        #expect(guest.ask(1, 1, Array("abc".utf8)).error == -EINVAL)
        #expect(guest.ask(1, 1).error == -EINVAL)
    }

    @Test("a forgotten node is gone, a known one stays, the root always does")
    func forget() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("a")
        let guest = try GuestKernel(folder)
        let node = guest.lookUp("a").node
        _ = guest.lookUp("a")
        #expect(guest.forget(node) == 0)
        #expect(guest.attributes(node).error == 0)
        #expect(guest.forget(node, .max) == 0)
        #expect(guest.attributes(node).error == -ESTALE)
        #expect(guest.forget(1, .max) == 0)
        #expect(guest.attributes(1).error == 0)
        let again = guest.lookUp("a").node
        #expect(again != node)
        // BATCH_FORGET
        #expect(
            guest.ask(42, 0, little(1 as UInt32) + little(0 as UInt32) + little(again) + little(1 as UInt64)).byteCount
                == 0)
        #expect(guest.attributes(again).error == -ESTALE)
    }

    @Test("what the guest knew before a reset or a new mount is gone")
    func reset() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("a")
        let guest = try GuestKernel(folder)
        let node = guest.lookUp("a").node
        guest.server.reset()
        #expect(guest.attributes(1).error == -EIO)
        #expect(guest.initialize().error == 0)
        #expect(guest.attributes(node).error == -ESTALE)
        #expect(guest.lookUp("a").node != node)
    }

    @Test("a file that the host replaced is stale, so that the guest looks again")
    func replaced() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("a", [1])
        let guest = try GuestKernel(folder)
        let node = guest.lookUp("a").node
        try FileSystem.rename(folder.file("b", [1, 2]), to: file)
        #expect(guest.attributes(node).error == -ESTALE)
        let entry = guest.lookUp("a")
        #expect(entry.node != node && entry.attributes.size == 2)
    }

    @Test("a hidden name is not there, at any depth")
    func hidden() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("a/.wander/key")
        let guest = try GuestKernel(folder)
        for name in [".wander", ".WANDER", ".Wander"] {
            #expect(guest.lookUp(name).node == 0)
            #expect(guest.lookUp(name, in: guest.node("a")).node == 0)
        }
        let open = try GuestKernel(folder) { $0.hiddenNames = [] }
        #expect(open.node("a/.wander/key") != 0)
    }
}
