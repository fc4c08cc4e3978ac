import CLinux
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Whether this kernel has Landlock, asked as landlock_create_ruleset(2) describes.
private let hasLandlock = linux_syscall(444, 0, 0, 1, 0, 0) > 0

@Suite struct FileAccessLimitTests {
    @Test(
        "files are reached only below the folders that are named, by the calling thread alone",
        .enabled(if: hasLandlock, "this kernel has no Landlock"))
    func limits() throws {
        let folder = try TemporaryFolder()
        for name in ["read", "write", "other"] {
            try FileSystem.makeDirectory(folder.path.appending(name))
            try AtomicFile.write("old", to: folder.path.appending(name).appending("file"))
        }
        let path = folder.path
        let outcomes = Mutex<[String]>([])
        let thread = try Thread(name: "limited") {
            func attempt(_ name: String, _ body: () throws -> Void) {
                do {
                    try body()
                    outcomes.withLock { $0.append(name) }
                } catch {}
            }
            attempt("applied") {
                _ = try FileAccessLimit.apply(
                    readable: [path.appending("read"), path.appending("missing")], writable: [path.appending("write")])
            }
            for name in ["read", "write", "other"] {
                let file = path.appending(name).appending("file")
                attempt("read \(name)") { _ = try FileSystem.read(file, limit: 100) }
                attempt("replace \(name)") { try AtomicFile.write("new", to: file) }
            }
        }
        thread.join()
        #expect(outcomes.withLock { $0 } == ["applied", "read read", "read write", "replace write"])
        #expect(try FileSystem.read(path.appending("other").appending("file"), limit: 100) == Array("old".utf8))
    }

    @Test(
        "a place that cannot be looked at is an error, and nothing is limited by halves",
        .enabled(if: hasLandlock, "this kernel has no Landlock"), arguments: 0..<4)
    func failingPlace(kind: Int) throws {
        let folder = try TemporaryFolder()
        let outside = try folder.file("outside", Array("x".utf8))
        let loop = folder("loop")
        // A link to itself: stat(2) and open(2) fail with ELOOP, for root too.
        #expect(symlink("loop", loop.string) == 0)
        let ended = FailedLimit()
        let thread = try Thread(name: "limited") {
            let places = (0..<4).map { $0 == kind ? [loop] : [] }
            do throws(SystemError) {
                _ = try FileAccessLimit.apply(
                    readable: places[0], writable: places[1], served: places[2], executable: places[3])
            } catch { ended.note(error.errno, canRead: (try? FileSystem.read(outside, limit: 10)) != nil) }
        }
        thread.join()
        #expect(ended.errno == .tooManySymbolicLinkLevels && ended.canRead)
    }

    private final class FailedLimit: Sendable {
        private let state = Mutex<(errno: Errno?, canRead: Bool)>((nil, false))
        var errno: Errno? { state.withLock { $0.errno } }
        var canRead: Bool { state.withLock { $0.canRead } }
        func note(_ errno: Errno, canRead: Bool) { state.withLock { $0 = (errno, canRead) } }
    }

    @Test(
        "files move between the folders of one that is served, and no devices are made there",
        .enabled(if: linux_syscall(444, 0, 0, 1, 0, 0) >= 2, "this kernel's Landlock cannot let files be moved"))
    func serves() throws {
        let folder = try TemporaryFolder()
        for name in ["served/a", "served/b", "write/a", "write/b", "other"] {
            _ = try folder.file("\(name)/file", Array("old".utf8))
        }
        let path = folder.path
        let outcomes = Mutex<[String]>([])
        let thread = try Thread(name: "limited") {
            func attempt(_ name: String, _ body: () throws -> Void) {
                do {
                    try body()
                    outcomes.withLock { $0.append(name) }
                } catch {}
            }
            attempt("applied") {
                _ = try FileAccessLimit.apply(
                    readable: [], writable: [path.appending("write")], served: [path.appending("served")])
            }
            for name in ["served", "write"] {
                let inner = path.appending(name)
                attempt("move in \(name)") {
                    try FileSystem.rename(inner.pushing("a/file"), to: inner.pushing("b/moved"))
                }
                attempt("shorten in \(name)") {
                    try OwnedDescriptor.open(inner.pushing("b/file"), [.writeOnly, .truncate]).close()
                }
            }
            attempt("move out") {
                try FileSystem.rename(path.pushing("served/b/file"), to: path.pushing("write/b/out"))
            }
            attempt("move in from elsewhere") {
                try FileSystem.rename(path.pushing("other/file"), to: path.pushing("served/in"))
            }
            attempt("pipe") {
                try path.pushing("served/pipe").withPlatformString { name in
                    if mknod(name, S_IFIFO | 0o600, 0) != 0 { throw SystemError("make", nil, .notPermitted) }
                }
            }
            attempt("device") {
                try path.pushing("served/device").withPlatformString { name in
                    if mknod(name, S_IFCHR | 0o600, 0x103) != 0 { throw SystemError("make", nil, .notPermitted) }
                }
            }
        }
        thread.join()
        #expect(
            outcomes.withLock { $0 } == [
                "applied", "move in served", "shorten in served", "shorten in write", "pipe",
            ])
    }
}
