import CLinux
import FUSE
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite struct SystemCallTests {
    /// What every thread of a Swift program does: memory, locks, its end.
    private static let everyThread = [
        SYS_brk, SYS_clock_gettime, SYS_exit, SYS_futex, SYS_getrandom, SYS_madvise, SYS_mmap, SYS_mprotect, SYS_mremap,
        SYS_munmap, SYS_rseq, SYS_rt_sigprocmask, SYS_sched_yield,
    ].map { Int($0) }

    /// A call that the filter lacks fails as one that the kernel lacks.
    @Test("a thread that may make the listed system calls alone serves every request")
    func filtered() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file("d/a", [1, 2, 3])
        let results = Mutex<[String: Int32]>([:])
        let thread = try Thread(name: "filtered") {
            let filter = SystemCallFilter(allowing: FileSystemServer.systemCalls + Self.everyThread)
            do { _ = try filter.apply(toAllThreads: false) } catch { return }
            let served = Self.everything(guest)
            results.withLock { $0 = served }
        }
        thread.join()
        let served = results.withLock { $0 }
        #expect(served.count > 30)
        for (request, error) in served { #expect(error == 0, "\(request)") }
    }

    private static func everything(_ guest: GuestKernel) -> [String: Int32] {
        var errors: [String: Int32] = [:]
        let zero = [UInt8](repeating: 0, count: 24)
        let folder = guest.node("d")
        let file = guest.node("d/a")
        let opened = guest.open(file, O_RDWR)
        let handle = little(opened.handle)
        errors["GETATTR"] = guest.attributes(file).error
        errors["STATX"] = guest.ask(52, file, zero).error
        errors["OPEN"] = opened.error
        errors["READ"] = guest.read(file, opened.handle).error
        errors["WRITE"] = guest.write(file, opened.handle, [9]).error
        errors["FLUSH"] = guest.ask(25, file, handle + zero).error
        errors["FSYNC"] = guest.ask(20, file, handle + little(0 as UInt64)).error
        errors["FDATASYNC"] = guest.ask(20, file, handle + little(1 as UInt64)).error
        errors["FALLOCATE"] = guest.ask(43, file, handle + zero[..<8] + little(4096 as UInt64) + zero[..<8]).error
        errors["LSEEK"] = guest.ask(46, file, handle + zero[..<8] + little(4 as UInt64)).error
        let copy = guest.create("copy")
        errors["CREATE"] = copy.opened.error
        let range = handle + zero[..<8] + little(copy.entry.node) + little(copy.opened.handle) + zero[..<8]
        errors["COPY_FILE_RANGE"] = guest.ask(47, file, range + little(2 as UInt64) + zero[..<8]).error
        errors["RELEASE"] = guest.release(copy.entry.node, copy.opened.handle)
        errors["SETATTR mode"] = guest.change(file) { ($0.valid, $0.mode) = (1, 0o600) }.error
        errors["SETATTR size"] = guest.change(file) { ($0.valid, $0.size) = (8, 100) }.error
        errors["SETATTR size of handle"] =
            guest.change(file) { ($0.valid, $0.handle, $0.size) = (72, opened.handle, 90) }.error
        errors["SETATTR times"] = guest.change(file) { $0.valid = 48 }.error
        errors["SETXATTR"] = guest.ask(21, file, little(1 as UInt32) + zero[..<4] + text("user.a") + [1]).error
        errors["GETXATTR"] = guest.ask(22, file, little(9 as UInt32) + zero[..<4] + text("user.a")).error
        errors["LISTXATTR"] = guest.ask(23, file, little(99 as UInt64)).error
        errors["REMOVEXATTR"] = guest.ask(24, file, text("user.a")).error
        // 0666 differs from what any usual umask leaves, so that it has to be restored.
        errors["MKNOD"] = guest.makeNode("p", in: folder, mode: 0o010666).error
        errors["MKDIR"] = guest.makeFolder("e", in: folder, mode: 0o777).error
        let link = guest.makeLink("l", in: folder, to: "a")
        errors["SYMLINK"] = link.error
        errors["READLINK"] = guest.ask(5, link.node).error
        errors["LINK"] = guest.link(file, as: "b").error
        errors["RENAME"] = guest.rename("b", in: 1, to: "c", in: folder)
        errors["RENAME2"] = guest.rename("c", in: folder, to: "l", in: folder, flags: 2)
        errors["UNLINK"] = guest.remove("c", in: folder)
        errors["RMDIR"] = guest.removeFolder("e", in: folder)
        let listed = GuestKernel.Opened(guest.ask(27, folder, zero))
        errors["OPENDIR"] = listed.error
        errors["READDIR"] = guest.readFolder(folder, listed.handle).error
        errors["READDIRPLUS"] = guest.readFolder(folder, listed.handle, plus: true).error
        errors["FSYNCDIR"] = guest.ask(30, folder, little(listed.handle) + zero[..<8]).error
        errors["RELEASEDIR"] = guest.release(folder, listed.handle, opcode: 29)
        errors["TMPFILE"] = guest.ask(51, folder, little(2 as UInt32) + little(0o600 as UInt32) + zero[..<8]).error
        errors["STATFS"] = guest.ask(17, folder).error
        errors["ACCESS"] = guest.ask(34, file, little(4 as UInt64)).error
        errors["SYNCFS"] = guest.ask(50, 1, Array(zero[..<8])).error
        errors["INIT"] = guest.initialize().error
        errors["DESTROY"] = guest.ask(38, 0).error
        return errors
    }
}
