import CLinux
import FUSE
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// The host's own kernel as the guest: its client of the protocol is the one that Linux guests have. The folder is
/// mounted in a thread's own mount namespace, which ends with the thread, so nobody else sees it and nothing has to be
/// cleaned up.
@Suite struct HostKernelTests {
    private static let canMount: Bool = {
        let device = linux_openat(AT_FDCWD, "/dev/fuse", O_RDWR | O_CLOEXEC, 0)
        guard device >= 0 else { return false }
        close(CInt(device))
        let may = Mutex(false)
        guard let thread = try? Thread(name: "probe", body: { may.withLock { $0 = enterNamespace() } }) else {
            return false
        }
        thread.join()
        return may.withLock { $0 }
    }()

    /// Gives the calling thread a mount namespace (CLONE_NEWNS, CLONE_FS) whose changes stay in it (MS_REC,
    /// MS_PRIVATE).
    private static func enterNamespace() -> Bool {
        linux_syscall(Int(SYS_unshare), 0x20200, 0, 0, 0, 0) == 0 && mount("none", "/", nil, 0x44000, nil) == 0
    }

    /// Runs `body` in a thread in which `guest` is `host`, mounted.
    private func mounted(
        descriptorLimit: Int? = nil, _ body: @escaping @Sendable (_ host: FilePath, _ guest: FilePath) throws -> Void
    ) throws {
        let folder = try TemporaryFolder()
        let (host, guest) = (folder("host"), folder("guest"))
        try FileSystem.makeDirectory(host)
        try FileSystem.makeDirectory(guest)
        let device = CInt(linux_openat(AT_FDCWD, "/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK, 0))
        defer { close(device) }
        var options = FileSystemServer.Options()
        options.descriptorLimit = descriptorLimit
        let server = try FileSystemServer(folder: .open(host, [.readOnly, .directory]), options: options)
        let outcome = Mutex<Result<Void, any Error>>(.success(()))
        let user = try Thread(name: "guest") {
            let what = "fd=\(device),rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other"
            guard Self.enterNamespace(), guest.withPlatformString({ mount("share", $0, "fuse", 0, what) }) == 0 else {
                return outcome.withLock { $0 = .failure(Errno(rawValue: errno)) }
            }
            let servers = (0..<2).compactMap { _ in try? ServerThread(device, server) }
            let result = Result { try body(host, guest) }
            outcome.withLock { $0 = result }
            _ = guest.withPlatformString { umount2($0, CInt(MNT_DETACH)) }
            for server in servers { server.stop() }
        }
        user.join()
        try outcome.withLock { $0 }.get()
    }

    /// Answers the kernel's requests until it is told to stop.
    private final class ServerThread: Sendable {
        private final class Flag: Sendable { let isSet = Atomic<Bool>(false) }
        private let isOver: Flag
        private let thread: Mutex<Thread?>

        init(_ device: CInt, _ server: FileSystemServer) throws {
            let flag = Flag()
            isOver = flag
            let thread = try Thread(name: "server") {
                let size = (1 << 20) + 8192
                let request = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
                let reply = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
                defer {
                    request.deallocate()
                    reply.deallocate()
                }
                while !flag.isSet.load(ordering: .acquiring) {
                    var waiting = pollfd(fd: device, events: Int16(POLLIN), revents: 0)
                    guard poll(&waiting, 1, 50) > 0 else { continue }
                    let count = read(device, request.baseAddress, size)
                    // Another thread took the request, or whoever made it is gone.
                    if count < 0, [EINTR, EAGAIN, ENOENT].contains(errno) { continue }
                    guard count > 0 else { return }
                    var from = iovec(iov_base: request.baseAddress, iov_len: count)
                    var to = iovec(iov_base: reply.baseAddress, iov_len: size)
                    let length = withUnsafePointer(to: &from) { from in
                        withUnsafePointer(to: &to) { to in
                            var exchange = SegmentedExchange(
                                request: UnsafeBufferPointer(start: from, count: 1),
                                reply: UnsafeBufferPointer(start: to, count: 1))
                            return server.serve(&exchange)
                        }
                    }
                    if length > 0 { _ = write(device, reply.baseAddress, length) }
                }
            }
            self.thread = Mutex(consume thread)
        }

        func stop() {
            isOver.isSet.store(true, ordering: .releasing)
            let thread = thread.withLock { $0.take() }
            if let thread { thread.join() }
        }
    }

    @Test(
        "a tree that programs change is the same on both sides, with few descriptors and with many",
        .enabled(if: canMount, "needs /dev/fuse and the right to mount"), arguments: [64, 4096])
    func tree(descriptorLimit: Int) throws {
        try mounted(descriptorLimit: descriptorLimit) { host, guest in
            var random = SeededGenerator(seed: 5)
            var model: [String: [UInt8]] = [:]
            for step in 0..<600 {
                let known = model.keys.sorted()
                let name = "d\(random.next(below: 30))/f\(random.next(below: 6))"
                switch random.next(below: 10) {
                case 0...4:
                    let bytes = (0..<random.next(below: 3000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                    let path = guest.pushing(FilePath(name))
                    try FileSystem.makeDirectory(path.removingLastComponent())
                    try OwnedDescriptor.open(path, [.writeOnly, .create, .truncate]).writeAll(bytes)
                    model[name] = bytes
                case 5...6 where !known.isEmpty:
                    let old = known[Int(random.next(below: UInt64(known.count)))]
                    let target = guest.pushing(FilePath(name))
                    try FileSystem.makeDirectory(target.removingLastComponent())
                    try FileSystem.rename(guest.pushing(FilePath(old)), to: target)
                    model[name] = model.removeValue(forKey: old)
                case 7 where !known.isEmpty:
                    let old = known[Int(random.next(below: UInt64(known.count)))]
                    try FileSystem.remove(guest.pushing(FilePath(old)))
                    model[old] = nil
                default:
                    guard !known.isEmpty else { continue }
                    let old = known[Int(random.next(below: UInt64(known.count)))]
                    let bytes = try FileSystem.read(guest.pushing(FilePath(old)))
                    #expect(bytes == model[old], "step \(step)")
                }
            }
            for side in [host, guest] {
                var found = Set<String>()
                for folder in try FileSystem.list(side) {
                    for file in try FileSystem.list(side.appending(folder)) { found.insert(folder + "/" + file) }
                }
                #expect(found == Set(model.keys))
                for (name, bytes) in model { #expect(try FileSystem.read(side.pushing(FilePath(name))) == bytes) }
            }
            try FileSystem.removeTree(guest.appending("d1"))
            #expect(try !FileSystem.exists(host.appending("d1")))
        }
    }

    @Test(
        "what is written through a mapping is in the host's file, in its place, even of a file opened to append",
        .enabled(if: canMount, "needs /dev/fuse and the right to mount"))
    func mapping() throws {
        try mounted { host, guest in
            let path = guest.appending("a")
            let flags: OwnedDescriptor.OpenFlags = [.readWrite, .create, .append]
            let file = try OwnedDescriptor.open(path, flags)
            try file.writeAll([UInt8](repeating: 1, count: 8192))
            let address = mmap(nil, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file.rawValue, 0)
            guard let address, address != MAP_FAILED else { throw Errno(rawValue: errno) }
            address.storeBytes(of: 9, toByteOffset: 4096, as: UInt8.self)
            #expect(msync(address, 8192, MS_SYNC) == 0)
            munmap(address, 8192)
            try file.writeAll([7] as [UInt8])
            var expected = [UInt8](repeating: 1, count: 8192) + [7]
            expected[4096] = 9
            #expect(try FileSystem.read(host.appending("a")) == expected)
        }
    }

    @Test(
        "a file outlives its name, one without gets one, and what the host replaced is new",
        .enabled(if: canMount, "needs /dev/fuse and the right to mount"))
    func names() throws {
        try mounted { host, guest in
            let file = try OwnedDescriptor.open(guest.appending("a"), [.readWrite, .create])
            try FileSystem.remove(guest.appending("a"))
            try file.writeAll([1, 2, 3])
            #expect(try file.status().size == 3)

            let flags = OwnedDescriptor.OpenFlags(rawValue: 0o20000000 | O_DIRECTORY | O_RDWR)
            let unnamed = try OwnedDescriptor.open(guest, flags)
            try unnamed.writeAll([4])
            let linked = guest.appending("b").withPlatformString {
                linkat(AT_FDCWD, "/proc/self/fd/\(unnamed.rawValue)", AT_FDCWD, $0, AT_SYMLINK_FOLLOW)
            }
            #expect(linked == 0)
            #expect(try FileSystem.read(host.appending("b")) == [4])

            // Known to the guest, and replaced within the second for which it believes a name.
            #expect(try FileSystem.read(guest.appending("b")) == [4])
            try OwnedDescriptor.open(host.appending("c"), [.writeOnly, .create]).writeAll([5, 6])
            try unnamed.synchronize()
            unnamed.close()
            usleep(100_000)
            try FileSystem.rename(host.appending("c"), to: host.appending("b"))
            let opened = try OwnedDescriptor.open(guest.appending("b"), .readOnly)
            #expect(try opened.read(upTo: 8) == [5, 6])

            #expect(guest.appending(".wander").withPlatformString { mkdir($0, 0o755) } == -1)
            #expect(guest.appending("device").withPlatformString { mknod($0, S_IFCHR | 0o644, 0x0103) } == -1)
            #expect(guest.appending("b").withPlatformString { chown($0, 12, 13) } == 0)
            #expect(try hostStatus(host.appending("b")).st_uid == geteuid())
        }
    }
}
