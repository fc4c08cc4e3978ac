import CLinux
import FUSE
import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@Suite struct ChangeTests {
    @Test("changes size, mode and times of the host's file")
    func changes() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let path = try guest.folder.file("a", [1, 2, 3])
        let node = guest.node("a")
        #expect(
            guest.change(node) {
                $0.valid = 1 << 3
                $0.size = 10000
            }.size == 10000)
        #expect(try hostStatus(path).st_size == 10000)
        #expect(
            guest.change(node) {
                $0.valid = 1
                $0.mode = 0o100751
            }.mode == 0o100751)
        #expect(try hostStatus(path).st_mode == 0o100751)
        let changed = guest.change(node) {
            $0.valid = 1 << 4 | 1 << 5
            ($0.accessed, $0.modified, $0.nanoseconds) = (-5, 1_000_000_007, 123_456_789)
        }
        #expect(changed.modified == 1_000_000_007 && changed.modifiedNanoseconds == 123_456_789)
        let truth = try hostStatus(path)
        #expect(truth.st_mtim.tv_sec == 1_000_000_007 && truth.st_mtim.tv_nsec == 123_456_789)
        #expect(truth.st_atim.tv_sec == -5)
        // Only one of the two, to now.
        #expect(guest.change(node) { $0.valid = 1 << 5 | 1 << 8 }.modified > 1_700_000_000)
        #expect(try hostStatus(path).st_atim.tv_sec == -5)
        #expect(
            guest.change(node) {
                $0.valid = 1 << 4
                $0.nanoseconds = 1_000_000_000
            }.error == -EINVAL)
        #expect(
            guest.change(node) {
                $0.valid = 1 << 4
                $0.nanoseconds = 0x3fff_ffff
            }.error == -EINVAL)
        #expect(
            guest.change(node) {
                $0.valid = 1 << 3
                $0.size = .max
            }.error == -EFBIG)
    }

    @Test("changes the times of a link itself, and no mode of it")
    func link() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let target = try guest.folder.file("a")
        let before = try hostStatus(target)
        let node = guest.makeLink("l", to: "a").node
        #expect(
            guest.change(node) {
                $0.valid = 1 << 5
                $0.modified = 7
            }.modified == 7)
        #expect(
            guest.change(node) {
                $0.valid = 1
                $0.mode = 0o777
            }.error == -EOPNOTSUPP)
        let after = try hostStatus(target)
        #expect(after.st_mtim.tv_sec == before.st_mtim.tv_sec && after.st_mode == before.st_mode)
    }

    @Test("never gives a file its owner's rights, but leaves them where they are")
    func setID() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let path = try guest.folder.file("a")
        let node = guest.node("a")
        #expect(
            guest.change(node) {
                $0.valid = 1
                $0.mode = 0o6755
            }.mode == 0o100755)
        try FileSystem.setPermissions(path, 0o2755)
        #expect(
            guest.change(node) {
                $0.valid = 1
                $0.mode = 0o6711
            }.mode == 0o102711)
        #expect(
            guest.change(node) {
                $0.valid = 1
                $0.mode = 0o0711
            }.mode == 0o100711)

        // Of a folder, the bit of the group says whose what is made in it is.
        let folder = guest.makeFolder("d").node
        #expect(
            guest.change(folder) {
                $0.valid = 1
                $0.mode = 0o6775
            }.mode == 0o042775)
        #expect(try hostStatus(guest.folder("d")).st_mode & 0o7777 == 0o2775)
        #expect(guest.makeFolder("e", in: folder).attributes.mode == 0o042755)
        #expect(
            guest.change(folder) {
                $0.valid = 1
                $0.mode = 0o755
            }.mode == 0o040755)
    }

    @Test("what is written has no rights of its owner left")
    func privilegesOfWritten() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let path = try guest.folder.file("a", [1])
        try FileSystem.setPermissions(path, 0o4755)
        let node = guest.node("a")
        let handle = guest.open(node, O_RDWR).handle
        #expect(guest.write(node, handle, [2]).error == 0)
        #expect(try hostStatus(path).st_mode == 0o100755)
        guest.release(node, handle)
        try FileSystem.setPermissions(path, 0o4755)
        #expect(guest.change(node) { $0.valid = 1 << 3 }.mode == 0o100755)
    }

    @Test("ftruncate works by the handle, whatever the mode is by now")
    func truncateByHandle() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let (entry, opened) = guest.create("a", O_WRONLY, mode: 0o444)
        let changed = guest.change(entry.node) {
            ($0.valid, $0.handle, $0.size) = (1 << 3 | 1 << 6, opened.handle, 5)
        }
        #expect(changed.error == 0 && changed.size == 5)
        #expect(guest.change(entry.node) { ($0.valid, $0.handle) = (1 << 3 | 1 << 6, 99) }.error == -EBADF)
    }

    @Test("the host's user's files are the guest's owner's; root names that owner once a mount")
    func owner() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file("a")
        let node = guest.node("a")
        #expect(guest.attributes(node).user == 1000 && guest.attributes(node).group == 1000)
        // Not root, not the root's node: no change, though it succeeds.
        #expect(guest.change(1, user: 7) { ($0.valid, $0.user) = (2, 7) }.error == 0)
        #expect(guest.change(node) { ($0.valid, $0.user) = (2, 7) }.user == 1000)
        let changed = guest.change(1) { ($0.valid, $0.user, $0.group) = (6, 501, 20) }
        #expect(changed.user == 501 && changed.group == 20)
        #expect(guest.attributes(node).user == 501 && guest.attributes(node).group == 20)
        #expect(guest.change(1) { ($0.valid, $0.user) = (2, 0) }.user == 501)
        // The next mount begins with the owner of the last.
        guest.server.reset()
        guest.initialize()
        #expect(guest.attributes(1).user == 501)
        #expect(guest.change(1) { ($0.valid, $0.group) = (4, 21) }.group == 21)
        #expect(guest.attributes(1).user == 501)
        #expect(try hostStatus(guest.folder("a")).st_uid == geteuid())
    }

    @Test("others' files are nobody's", .enabled(if: geteuid() == 0, "only root can make a file another's"))
    func others() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let path = try guest.folder.file("a")
        #expect(path.withPlatformString { chown($0, 4242, 4243) } == 0)
        let attributes = guest.attributes(guest.node("a"))
        #expect(attributes.user == 65534 && attributes.group == 65534)
    }

    @Test("a device of the host shows no number by which the guest would open its own", .enabled(if: geteuid() == 0))
    func device() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let path = guest.folder("null")
        guard path.withPlatformString({ mknod($0, S_IFCHR | 0o666, 0x0103) }) == 0 else { return }
        let entry = guest.lookUp("null")
        #expect(entry.attributes.mode & 0o170000 == 0o020000 && entry.attributes.device == 0)
        #expect(guest.open(entry.node, O_RDWR).error == -EPERM)
    }

    @Test("a read-only share changes by nothing")
    func readOnly() throws {
        let guest = try GuestKernel(TemporaryFolder()) { $0.isReadOnly = true }
        let path = try guest.folder.file("a", [1])
        let before = try hostStatus(path)
        let node = guest.node("a")
        let refused = -EROFS
        #expect(guest.open(node, O_WRONLY).error == refused && guest.open(node, O_RDWR).error == refused)
        #expect(guest.open(node, O_RDONLY | O_TRUNC).error == refused)
        #expect(guest.create("b").opened.error == refused && guest.create("a").opened.error == refused)
        #expect(guest.makeFolder("b").error == refused && guest.makeNode("b", mode: 0o644).error == refused)
        #expect(guest.makeLink("b", to: "a").error == refused && guest.link(node, as: "b").error == refused)
        #expect(guest.remove("a") == refused && guest.removeFolder("a") == refused)
        #expect(guest.rename("a", to: "b") == refused && guest.rename("a", to: "b", flags: 1) == refused)
        for valid in [1, 8, 16, 32, 128, 256] as [UInt32] {
            #expect(guest.change(node) { $0.valid = valid }.error == refused)
            #expect(guest.change(1) { $0.valid = valid }.error == refused)
        }
        #expect(
            guest.ask(51, 1, little(2 as UInt32) + little(0 as UInt32) + little(0 as UInt64) + text("t")).error
                == refused)
        #expect(guest.ask(21, node, little(1 as UInt32) + little(0 as UInt32) + text("user.a") + [1]).error == refused)
        #expect(guest.ask(24, node, text("user.a")).error == refused)
        let handle = guest.open(node).handle
        #expect(guest.write(node, handle, [2]).error == refused)
        let allocation = little(handle) + little(0 as UInt64) + little(9 as UInt64) + little(0 as UInt64)
        #expect(guest.ask(43, node, allocation).error == refused)
        #expect(guest.ask(34, node, little(2 as UInt32) + little(0 as UInt32)).error == refused)
        #expect(guest.read(node, handle).bytes == [1])
        // The owner is only what the guest sees.
        #expect(guest.change(1) { ($0.valid, $0.user) = (2, 501) }.user == 501)
        let after = try hostStatus(path)
        #expect(try FileSystem.list(guest.folder.path) == ["a"])
        #expect(after.st_mtim.tv_nsec == before.st_mtim.tv_nsec && after.st_ctim.tv_nsec == before.st_ctim.tv_nsec)
    }

    @Test("users' extended attributes pass, all others do not")
    func extendedAttributes() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let path = try guest.folder.file("a")
        let node = guest.node("a")
        func set(_ name: String, _ value: [UInt8], flags: UInt32 = 0, size: UInt32? = nil) -> Int32 {
            guest.ask(21, node, little(size ?? UInt32(value.count)) + little(flags) + text(name) + value).error
        }
        func get(_ name: String, size: UInt32) -> GuestKernel.Reply {
            guest.ask(22, node, little(size) + little(0 as UInt32) + text(name))
        }
        func list(_ size: UInt32) -> GuestKernel.Reply { guest.ask(23, node, little(size) + little(0 as UInt32)) }
        #expect(list(0).value(at: 0, UInt32.self) == 0 && list(100).bytes.isEmpty)
        #expect(set("user.a", [1, 2, 3]) == 0 && set("user.b", []) == 0)
        #expect(get("user.a", size: 0).value(at: 0, UInt32.self) == 3)
        #expect(get("user.a", size: 64).bytes == [1, 2, 3])
        #expect(get("user.a", size: 2).error == -ERANGE)
        #expect(get("user.c", size: 64).error == -ENODATA)
        let names = list(4096).bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        #expect(Set(names) == ["user.a", "user.b"])
        #expect(list(0).value(at: 0, UInt32.self) == 14)
        #expect(list(13).error == -ERANGE)
        var value = [UInt8](repeating: 0, count: 8)
        let count = path.withPlatformString { path in
            "user.a".withCString { name in
                value.withUnsafeMutableBytes {
                    linux_syscall(
                        Int(SYS_getxattr), UInt(bitPattern: path), UInt(bitPattern: name),
                        UInt(bitPattern: $0.baseAddress), 8, 0)
                }
            }
        }
        #expect(count == 3 && value[..<3] == [1, 2, 3])
        #expect(set("user.a", [1], flags: 1) == -EEXIST && set("user.c", [1], flags: 2) == -ENODATA)
        #expect(set("user.a", [1], flags: 4) == -EINVAL)
        #expect(set("user.a", [1], size: 2) == -EINVAL)
        #expect(set("user.a", [1], size: .max) == -E2BIG)
        for name in [
            "security.capability", "security.selinux", "system.posix_acl_access", "trusted.overlay.opaque", "user.",
            "userx.a", "User.a",
        ] {
            #expect(set(name, [1]) == -EOPNOTSUPP && get(name, size: 64).error == -EOPNOTSUPP)
            #expect(guest.ask(24, node, text(name)).error == -EOPNOTSUPP)
        }
        #expect(guest.ask(24, node, text("user.a")).error == 0)
        #expect(get("user.a", size: 0).error == -ENODATA)
        let link = guest.makeLink("l", to: "a").node
        #expect(guest.ask(22, link, little(8 as UInt32) + little(0 as UInt32) + text("user.b")).error == -EOPNOTSUPP)
        #expect(guest.ask(23, link, little(8 as UInt32) + little(0 as UInt32)).bytes.isEmpty)
    }

    @Test("tells of the file system and of births as the host does")
    func status() throws {
        let guest = try GuestKernel(TemporaryFolder())
        let node = guest.node("")
        #expect(node == 1)
        var truth = statvfs()
        #expect(guest.folder.path.withPlatformString { statvfs($0, &truth) } == 0)
        let reply = guest.ask(17, 1)
        #expect(reply.bytes.count == 80)
        #expect(reply.value(at: 0, UInt64.self) == UInt64(truth.f_blocks))
        #expect(reply.value(at: 40, UInt32.self) == UInt32(truth.f_bsize))
        #expect(reply.value(at: 44, UInt32.self) == 255)
        #expect(reply.value(at: 48, UInt32.self) == UInt32(truth.f_frsize))
        let entry = guest.create("a").entry
        let statx = guest.ask(52, entry.node, [UInt8](repeating: 0, count: 24))
        #expect(statx.bytes.count == 288)
        // The basic ones are known; the same numbers as GETATTR's.
        #expect(statx.value(at: 32, UInt32.self) & 0x7ff == 0x7ff)
        #expect(statx.value(at: 60, UInt16.self) == UInt16(entry.attributes.mode))
        #expect(statx.value(at: 64, UInt64.self) == entry.attributes.inode)
        #expect(statx.value(at: 144, Int64.self) == entry.attributes.modified)
        // Born when it was modified, as it was just made.
        if statx.value(at: 32, UInt32.self) & 0x800 != 0 {
            #expect(abs(statx.value(at: 112, Int64.self) - entry.attributes.modified) <= 1)
        }
        #expect(guest.ask(34, entry.node, little(6 as UInt32) + little(0 as UInt32)).error == 0)
        #expect(guest.ask(34, entry.node, little(8 as UInt32) + little(0 as UInt32)).error == -EINVAL)
    }
}
