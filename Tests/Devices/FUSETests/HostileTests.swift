import CLinux
import FUSE
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Guests that keep to nothing. Whatever they send, the server neither traps nor touches anything outside of its
/// folder.
@Suite struct HostileTests {
    static let opcodes: [UInt32] = Array(0...55) + [4096, 1_048_576, 436_207_616, .max]

    /// The folder that is shared stands beside what a guest must never reach.
    private final class Playground: Sendable {
        let folder: TemporaryFolder
        let shared: FilePath
        let secret: FilePath

        init() throws {
            folder = try TemporaryFolder()
            secret = try folder.file("secret/key", Array("secret".utf8))
            shared = folder("shared")
            try FileSystem.makeDirectory(shared)
            for index in 0..<8 { _ = try folder.file("shared/d\(index)/f", [UInt8(index)]) }
            for (name, target) in [("out", "../secret"), ("key", "../secret/key"), ("abs", "/etc"), ("up", "..")] {
                #expect(target.withCString { t in shared.appending(name).withPlatformString { symlink(t, $0) } } == 0)
            }
        }

        /// The names that the guest makes are bytes of any kind.
        deinit { Self.empty(shared.string) }

        private static func empty(_ path: String) {
            guard let folder = opendir(path) else { return }
            defer { closedir(folder) }
            while let entry = readdir(folder) {
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                        let isDots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0
                        guard !isDots, unlinkat(dirfd(folder), name, 0) != 0 else { return }
                        guard unlinkat(dirfd(folder), name, AT_REMOVEDIR) != 0 else { return }
                        let inner = openat(dirfd(folder), name)
                        if inner >= 0 {
                            empty("/proc/self/fd/\(inner)")
                            close(inner)
                        }
                        _ = unlinkat(dirfd(folder), name, AT_REMOVEDIR)
                    }
                }
            }
        }

        private static func openat(_ folder: CInt, _ name: UnsafePointer<CChar>) -> CInt {
            CInt(linux_openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0))
        }

        func guest(_ configure: (inout FileSystemServer.Options) -> Void = { _ in }) throws -> GuestKernel {
            try GuestKernel(folder, at: shared, configure)
        }

        func expectSecretUntouched() throws {
            #expect(try FileSystem.list(folder.path) == ["secret", "shared"])
            #expect(try FileSystem.list(folder("secret")) == ["key"])
            #expect(try FileSystem.read(secret) == Array("secret".utf8))
            let status = try hostStatus(secret)
            #expect(status.st_mode == 0o100644 && status.st_nlink == 1)
        }
    }

    @Test("random bytes", arguments: 0..<8 as Range<UInt64>)
    func randomBytes(seed: UInt64) throws {
        let playground = try Playground()
        let guest = try playground.guest { $0.descriptorLimit = 64 }
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let count = Int(random.next(below: 300))
            var request = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            // Every other one has a plausible length and opcode.
            if random.next(below: 2) == 0, count >= 40 {
                request.replaceSubrange(0..<8, with: little(UInt32(count)) + little(random.pick(Self.opcodes)))
                if random.next(below: 2) == 0 { request.replaceSubrange(16..<24, with: little(random.next(below: 20))) }
            }
            _ = guest.exchange(request, room: Int(random.next(below: 400)))
        }
        try playground.expectSecretUntouched()
    }

    @Test("valid requests with a few bytes changed", arguments: 0..<8 as Range<UInt64>)
    func mutated(seed: UInt64) throws {
        let playground = try Playground()
        let guest = try playground.guest { $0.descriptorLimit = 96 }
        var random = SeededGenerator(seed: seed &+ 1000)
        var script = Script(random: random)
        for step in 0..<500 {
            var (opcode, node, arguments) = script.request()
            // Lengths of FALLOCATE and COPY_FILE_RANGE stay: a user may fill the host's disk, a test may not.
            let isBounded = opcode == 43 || opcode == 47
            for _ in 0..<random.next(below: 3) where !arguments.isEmpty && !isBounded {
                arguments[Int(random.next(below: UInt64(arguments.count)))] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next(below: 10) == 0 { arguments.removeLast(min(arguments.count, Int(random.next(below: 20)))) }
            let other = random.pick(Self.opcodes)
            // Nor has it to wait for all of the host's disks (SYNCFS).
            if random.next(below: 40) == 0, ![43, 47, 50].contains(other) { opcode = other }
            let room = random.next(below: 8) == 0 ? Int(random.next(below: 200)) : 4112
            script.learn(from: guest.ask(opcode, node, arguments, room: room), opcode)
            if step % 100 == 99 {
                node = 1
                #expect(guest.attributes(node).error == 0)
            }
            if opcode == 26 || opcode == 38 { guest.initialize() }
        }
        try playground.expectSecretUntouched()
    }

    @Test("no descriptor is left when the server is gone, whatever was open")
    func leaks() throws {
        let playground = try Playground()
        func descriptors() throws -> Set<String> {
            var links: Set<String> = []
            for number in try FileSystem.list("/proc/self/fd") {
                var target = [CChar](repeating: 0, count: 4096)
                let count = readlink("/proc/self/fd/" + number, &target, target.count)
                guard count > 0 else { continue }
                let text = String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
                if text.hasPrefix(playground.folder.path.string) { links.insert(number + text) }
            }
            return links
        }
        #expect(try descriptors().isEmpty)
        do {
            let guest = try playground.guest()
            for index in 0..<8 {
                let node = guest.node("d\(index)/f")
                _ = guest.open(node, O_RDWR)
                _ = guest.remove("f", in: guest.node("d\(index)"))
                _ = guest.ask(27, guest.node("d\(index)"), little(0 as UInt64))
            }
            #expect(try descriptors().count > 24)
            // A new mount begins with nothing but the folder.
            guest.initialize()
            #expect(try descriptors().count == 1)
            _ = guest.open(guest.create("x").entry.node)
        }
        #expect(try descriptors().isEmpty)
    }

    @Test("tables end where they are bounded, and the guest can go on after it gave some back")
    func bounds() throws {
        let playground = try Playground()
        let guest = try playground.guest {
            $0.descriptorLimit = 64
            $0.nodeLimit = 100
        }
        let file = guest.create("a").entry.node
        var handles: [UInt64] = []
        while true {
            let opened = guest.open(file)
            guard opened.error == 0 else {
                #expect(opened.error == -ENFILE)
                break
            }
            handles.append(opened.handle)
            if handles.count > 64 { break }
        }
        #expect((16...64).contains(handles.count))
        // What needs a descriptor for a moment only still works.
        #expect(guest.lookUp("f", in: guest.node("d1")).error == 0)
        #expect(
            guest.change(file) {
                $0.valid = 1
                $0.mode = 0o600
            }.error == 0)
        for handle in handles { #expect(guest.release(file, handle) == 0) }
        #expect(guest.open(file).error == 0)

        var nodes: [UInt64] = []
        for index in 0..<200 {
            let entry = guest.makeFolder("n\(index)")
            guard entry.error == 0 else {
                #expect(entry.error == -ENFILE)
                break
            }
            nodes.append(entry.node)
        }
        #expect((50...100).contains(nodes.count))
        // Names can still be listed, without being known.
        #expect(guest.list(1, plus: true).contains { $0.name == "d7" })
        for node in nodes { _ = guest.forget(node) }
        #expect(guest.lookUp("n5").node != 0)
    }

    @Test("removed names of files that have others take no descriptors for ever")
    func removedHardLinks() throws {
        let playground = try Playground()
        let guest = try playground.guest { $0.descriptorLimit = 128 }
        for index in 0..<200 {
            let path = try playground.folder.file("shared/f\(index)", [1])
            let other = playground.shared.appending("g\(index)")
            #expect(path.withPlatformString { path in other.withPlatformString { Glibc.link(path, $0) } } == 0)
        }
        for index in 0..<200 {
            let node = guest.node("g\(index)")
            #expect(guest.remove("g\(index)") == 0)
            // The guest finds it under its other name, and maybe only then by its number.
            #expect([0, -ESTALE].contains(guest.attributes(node).error))
            #expect(guest.node("f\(index)") == node && guest.attributes(node).links == 1)
        }
        // With all names gone at once, too.
        for index in 0..<200 { _ = guest.link(guest.node("f\(index)"), as: "g\(index)") }
        for index in 0..<200 { #expect(guest.lookUp("g\(index)").error == 0 && guest.remove("g\(index)") == 0) }
        let opened = guest.open(guest.node("f199"))
        #expect(opened.error == 0)
        try playground.expectSecretUntouched()
    }

    @Test("what the host's kernel made up is seen, and nothing else", arguments: ["/proc", "/sys"])
    func kernelFiles(place: String) throws {
        let options = FileSystemServer.Options()
        #expect(throws: SystemError.self) {
            _ = try FileSystemServer(folder: .open(FilePath(place), [.readOnly, .directory]), options: options)
        }
        let folder = try TemporaryFolder()
        let guest = try GuestKernel(folder, at: "/") { $0.isReadOnly = true }
        let entry = guest.lookUp(String(place.dropFirst()))
        #expect(entry.error == 0 && entry.attributes.mode & 0o170000 == 0o040000)
        #expect(guest.ask(27, entry.node, little(0 as UInt64)).error == -EACCES)
        for name in ["self", "kernel", "version"] { #expect(guest.lookUp(name, in: entry.node).error == -EACCES) }
    }

    @Test("forged numbers of nodes and handles name nothing")
    func forged() throws {
        let playground = try Playground()
        let guest = try playground.guest()
        defer { withExtendedLifetime(playground) {} }
        let node = guest.node("d1/f")
        let handle = guest.open(node, O_RDWR).handle
        for forgedNode in [0, 2, node + 1, node + 1000, 1 << 32, .max] as [UInt64] where forgedNode != 2 {
            #expect(guest.attributes(forgedNode).error == -ESTALE)
            #expect(guest.open(forgedNode).error == -ESTALE)
            #expect(guest.read(forgedNode, handle).error == -EBADF)
            #expect(guest.lookUp("d1", in: forgedNode).error == -ESTALE)
        }
        for forgedHandle in [0, handle + 1, .max] as [UInt64] {
            #expect(guest.read(node, forgedHandle).error == -EBADF)
            #expect(guest.write(node, forgedHandle, [1]).error == -EBADF)
            #expect(guest.release(node, forgedHandle) == -EBADF)
            #expect(guest.release(1, forgedHandle, opcode: 29) == -EBADF)
        }
        // A file's handle is no folder's, nor another file's.
        #expect(guest.readFolder(node, handle).error == -EBADF)
        #expect(guest.read(guest.node("d2/f"), handle).error == -EBADF)
    }

    @Test("lengths that lie")
    func lengths() throws {
        let playground = try Playground()
        let guest = try playground.guest()
        defer { withExtendedLifetime(playground) {} }
        for length in [0, 39, 41, 1 << 20, .max] as [UInt32] {
            #expect(guest.ask(17, 1, [], length: length).error == -EINVAL)
        }
        #expect(guest.ask(1, 1, text("d1"), room: 16).error == -EINVAL)
        #expect(guest.ask(1, 1, text("d1"), room: 15).byteCount == 0)
        #expect(guest.exchange([1, 2, 3], room: 100).count == 0)
        #expect(guest.exchange([], room: 0).count == 0)
        // Nothing was counted for a guest that was not told.
        let node = guest.node("d1")
        _ = guest.forget(node)
        #expect(guest.attributes(node).error == -ESTALE)
        // More forgotten than there is.
        #expect(guest.ask(42, 0, little(UInt32.max) + little(0 as UInt32) + little(1 as UInt64)).byteCount == 0)
        #expect(guest.ask(21, 1, [UInt8](repeating: 0, count: 80 << 10)).error != 0)
        #expect(guest.attributes(1).error == 0)
    }

    @Test("a link that leads out is only text; no way leads through it")
    func links() throws {
        let playground = try Playground()
        let guest = try playground.guest()
        for name in ["out", "key", "abs", "up"] {
            let entry = guest.lookUp(name)
            #expect(entry.attributes.mode & 0o170000 == 0o120000)
            #expect(guest.lookUp("key", in: entry.node).error == -ENOTDIR)
            #expect(guest.create("new", in: entry.node).opened.error == -ENOTDIR)
            #expect(guest.makeFolder("new", in: entry.node).error == -ENOTDIR)
            #expect(guest.remove("key", in: entry.node) == -ENOTDIR)
            #expect(guest.open(entry.node, O_RDWR).error == -EPERM)
            #expect(guest.create(name, O_RDWR | O_TRUNC).opened.error == -ESTALE)
            #expect(guest.ask(27, entry.node, little(0 as UInt64)).error == -ENOTDIR)
            let attribute = little(1 as UInt32) + little(0 as UInt32) + text("user.x") + [1]
            #expect(guest.ask(21, entry.node, attribute).error == -EOPNOTSUPP)
            #expect(guest.change(entry.node) { $0.valid = 1 << 3 }.error == -EINVAL)
            _ = guest.change(entry.node) { $0.valid = 1 << 5 }
            _ = guest.change(entry.node) {
                $0.valid = 1
                $0.mode = 0o777
            }
            #expect(guest.ask(34, entry.node, little(4 as UInt32) + little(0 as UInt32)).error == 0)
        }
        try playground.expectSecretUntouched()
    }

    @Test("a folder that becomes a link that leads out, between any two calls", arguments: [UInt64(1), 2, 3])
    func swappedForLink(seed: UInt64) throws {
        let playground = try Playground()
        // Few descriptors, so that folders are looked for again and again.
        let guest = try playground.guest { $0.descriptorLimit = 64 }
        do {
            let swapper = try Swapper(playground.shared)
            defer { swapper.stop() }
            var random = SeededGenerator(seed: seed)
            for round in 0..<300 {
                let folder = guest.lookUp("d\(random.next(below: 8))").node
                // The link itself, or the folder; never what the link leads to.
                let key = guest.lookUp("key", in: folder)
                #expect(key.node == 0, "round \(round)")
                let made = guest.create("new\(round % 3)", in: folder, O_RDWR | O_TRUNC)
                if made.opened.error == 0 {
                    _ = guest.write(made.entry.node, made.opened.handle, [1])
                    _ = guest.change(made.entry.node) {
                        $0.valid = 1
                        $0.mode = 0o777
                    }
                    guest.release(made.entry.node, made.opened.handle)
                }
                for entry in guest.list(folder, plus: true) { #expect(entry.name != "key") }
                _ = guest.remove("key", in: folder)
                _ = guest.makeFolder("sub", in: folder)
                _ = guest.rename("f", in: folder, to: "g", in: folder, flags: 0)
                _ = guest.rename("g", in: folder, to: "f", in: folder, flags: 0)
                _ = guest.removeFolder("sub", in: folder)
                let file = guest.lookUp("f", in: folder).node
                let opened = guest.open(file, O_RDWR)
                if opened.error == 0 {
                    #expect(guest.read(file, opened.handle).bytes != Array("secret".utf8))
                    guest.release(file, opened.handle)
                }
            }
        }
        try playground.expectSecretUntouched()
    }

    /// A user of the host, or another thread of the guest, that swaps folders for links that lead out and back, files
    /// for pipes and for links to the secret.
    private final class Swapper: Sendable {
        private let isOver: Flag
        private let thread: Mutex<Thread?>

        final class Flag: Sendable { let value = Atomic<Bool>(false) }

        init(_ shared: FilePath) throws {
            let flag = Flag()
            isOver = flag
            let thread = try Thread(name: "swapper") {
                var index = 0
                while !flag.value.load(ordering: .acquiring) {
                    index = (index + 1) % 8
                    let (folder, away) = (shared.appending("d\(index)"), shared.appending("away"))
                    try? FileSystem.rename(folder, to: away)
                    _ = folder.withPlatformString { symlink("../secret", $0) }
                    _ = folder.withPlatformString { unlink($0) }
                    try? FileSystem.rename(away, to: folder)
                    let (file, kept) = (folder.appending("f"), folder.appending("kept"))
                    try? FileSystem.rename(file, to: kept)
                    _ = file.withPlatformString { symlink("../../secret/key", $0) }
                    _ = file.withPlatformString { unlink($0) }
                    _ = file.withPlatformString { mkfifo($0, 0o666) }
                    _ = file.withPlatformString { unlink($0) }
                    try? FileSystem.rename(kept, to: file)
                }
            }
            self.thread = Mutex(consume thread)
        }

        func stop() {
            isOver.value.store(true, ordering: .releasing)
            let thread = thread.withLock { $0.take() }
            if let thread { thread.join() }
        }
    }

    @Test("several threads that do everything at once")
    func concurrent() throws {
        let playground = try Playground()
        let guest = try playground.guest { $0.descriptorLimit = 128 }
        try Thread.forEach(Array(0..<4 as Range<UInt64>), name: "queue") { seed in
            var random = SeededGenerator(seed: seed &+ 77)
            var script = Script(random: random)
            for _ in 0..<400 {
                let (opcode, node, arguments) = script.request()
                script.learn(from: guest.ask(opcode, node, arguments), opcode)
                if seed == 0, random.next(below: 60) == 0 { guest.initialize() }
            }
        }
        #expect(guest.initialize().error == 0)
        #expect(guest.attributes(1).error == 0)
        #expect(guest.makeFolder("after").error == 0)
        try playground.expectSecretUntouched()
    }
}

/// Valid requests in no particular order, about what earlier replies told of.
private struct Script {
    var random: SeededGenerator
    private var nodes: [UInt64] = [1]
    private var handles: [(node: UInt64, handle: UInt64)] = [(1, 1)]
    private static let names = ["d0", "d1", "d2", "f", "g", "h", "out", "key", "up", ".wander", "n"]

    init(random: SeededGenerator) { self.random = random }

    mutating func request() -> (opcode: UInt32, node: UInt64, arguments: [UInt8]) {
        let opcodes: [UInt32] = [
            1, 1, 1, 1, 2, 3, 4, 5, 6, 8, 9, 9, 10, 11, 12, 13, 14, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 27, 28,
            29,
            34, 35, 35, 42, 43, 44, 44, 45, 46, 47, 51, 52,
        ]
        let opcode = random.pick(opcodes)
        var node = random.pick(nodes)
        let name = text(random.pick(Self.names))
        let other = text(random.pick(Self.names))
        let open = random.pick(handles)
        let small = little(random.next(below: 9000))
        let word = little(UInt32(random.next(below: 8)))
        let mode = little(UInt32(random.next(below: 0o200000)))
        let zero = [UInt8](repeating: 0, count: 64)
        let usesHandle: Set<UInt32> = [15, 16, 18, 20, 25, 28, 29, 43, 44, 46, 47]
        if usesHandle.contains(opcode) { node = open.node }
        let handle = little(open.handle)
        let arguments: [UInt8] =
            switch opcode {
            case 1, 10, 11: name
            case 2: little(1 as UInt64)
            case 4:
                little(UInt32(random.next(below: 512))) + word + handle + small + zero[..<40] + mode + word + word
                    + word
                    + word
            case 6: name + text("../secret/key")
            case 8: mode + word + zero[..<8] + name
            case 9: mode + word + name
            case 12: little(random.pick(nodes)) + name + other
            case 13: little(random.pick(nodes)) + name
            case 14: little(UInt32(random.next(below: 4))) + word
            case 15, 28, 44: handle + small + little(2000 as UInt32) + zero[..<20]
            case 16: handle + small + little(100 as UInt32) + zero[..<20] + zero + zero[..<36]
            case 18, 29: handle + zero[..<16]
            case 20, 25: handle + zero[..<16]
            case 21: little(4 as UInt32) + little(0 as UInt32) + text("user.a") + [1, 2, 3, 4]
            case 22: word + word + text("user.a")
            case 23: word + word
            case 24: text("user.a")
            case 34: word + word
            case 35, 51: little(UInt32(random.next(below: 4))) + mode + zero[..<8] + name
            case 42: little(1 as UInt32) + word + little(random.pick(nodes)) + little(1 as UInt64)
            case 43: handle + small + small + word + word
            case 45: little(random.pick(nodes)) + word + word + name + other
            case 46: handle + small + little(UInt32(3 + random.next(below: 2))) + word
            case 47: handle + small + little(open.node) + handle + small + small + zero[..<8]
            default: Array(zero[..<24])
            }
        return (opcode, node, arguments)
    }

    mutating func learn(from reply: GuestKernel.Reply, _ opcode: UInt32) {
        guard reply.error == 0 else { return }
        switch opcode {
        case 1, 6, 8, 9, 13: add(reply.value(at: 0))
        case 14, 27: if let node = nodes.last { handles.append((node, reply.value(at: 0))) }
        case 35, 51:
            add(reply.value(at: 0))
            handles.append((reply.value(at: 0), reply.value(at: 128)))
        default: break
        }
        if handles.count > 24 { handles.removeFirst() }
    }

    private mutating func add(_ node: UInt64) {
        guard node != 0 else { return }
        nodes.append(node)
        if nodes.count > 40 { nodes.remove(at: 1) }
    }
}

extension SeededGenerator {
    fileprivate mutating func pick<T>(_ elements: [T]) -> T { elements[Int(next(below: UInt64(elements.count)))] }
}
