import CLinux
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
}
