import CLinux
import Glibc
import LinuxSystem
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite struct FileSystemTests {
    @Test("an atomic write replaces the whole file and leaves nothing beside it")
    func atomicWrite() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("record.json")
        try AtomicFile.write("old, and longer than the new one", to: path)
        try AtomicFile.write("new", to: path, permissions: 0o600)
        #expect(try FileSystem.read(path) == Array("new".utf8))
        #expect(try FileSystem.status(path)?.permissions == 0o600)
        #expect(try FileSystem.list(folder.path) == ["record.json"])
    }

    @Test("a failed atomic write leaves the old content")
    func failedWrite() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("folder")
        try FileSystem.makeDirectory(path.appending("child"))
        #expect(throws: SystemError.self) { try AtomicFile.write("x", to: path) }
        #expect(try FileSystem.list(folder.path) == ["folder"])
    }

    @Test("what cannot be looked at is neither there nor absent")
    func failingLookup() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("loop")
        // ELOOP, for root too.
        #expect(try ChildProcess.run(["ln", "-s", "loop", path.string]).outcome.isSuccess)
        #expect(throws: SystemError.self) { try FileSystem.exists(path) }
        #expect(throws: SystemError.self) { try FileSystem.isDirectory(path) }
        #expect(throws: SystemError.self) { try FileSystem.readIfThere(path) }
        #expect(!FileSystem.isAbsent(path))
        let nothing = folder.path.appending("nothing")
        #expect(try !FileSystem.exists(nothing) && FileSystem.isAbsent(nothing))
        #expect(try FileSystem.readIfThere(nothing) == nil)
        let file = try folder.file("file")
        #expect(try FileSystem.exists(file) && !FileSystem.isAbsent(file))
        #expect(try FileSystem.readIfThere(file.appending("below")) == nil)
    }

    @Test("a folder that cannot be read to its end is an error, not a shorter list")
    func failingList() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("a", [])
        let path = folder.path
        let answers = Mutex<[Bool]>([])
        let thread = try Thread(name: "unreadable") {
            // For this thread alone.
            guard (try? SystemCallFilter(refusing: [Int(SYS_getdents64)]).apply(toAllThreads: false)) == true,
                let opened = try? OwnedDescriptor.open(path, [.readOnly, .directory])
            else { return }
            let list = (try? FileSystem.list(path)) == nil
            let names = (try? opened.names()) == nil
            answers.withLock { $0 = [list, names] }
        }
        thread.join()
        #expect(answers.withLock(\.self) == [true, true])
        #expect(try FileSystem.list(path) == ["a"])
    }

    @Test("what the host refuses or lacks is told apart from other failures by the exit status")
    func exitStatuses() {
        // 5: the host is not able to; 1: any other failure.
        let expected: [(Errno, Int32)] = [
            (.permissionDenied, 5), (.notPermitted, 5), (.readOnlyFileSystem, 5), (.noSpace, 5),
            (.diskQuotaExceeded, 5), (.tooManyOpenFiles, 5), (.noMemory, 5), (.ioError, 1), (.invalidArgument, 1),
        ]
        for (errno, status) in expected {
            #expect(SystemError("open", "/x", errno).kind.exitStatus == status, "\(errno)")
        }
    }

    @Test("temporary files that nobody holds are left over; a writer's are not, and no other file is")
    func leftovers() throws {
        let folder = try TemporaryFolder()
        let left = try folder.file("a.json.0123abcd.tmp")
        let others = [try folder.file("notes.tmp"), try folder.file("b.json.0123abc.tmp"), try folder.file("a.json")]
        let other = try folder.file("b.json.0123abcd.tmp")
        let writer = try OwnedDescriptor.open(other, .readWrite)
        #expect(try OpenFileLock.tryLock(writer, .exclusive))
        try AtomicFile.removeLeftovers(in: folder.path, of: "b.json")
        #expect(try FileSystem.exists(left))
        try AtomicFile.removeLeftovers(in: folder.path)
        #expect(try !FileSystem.exists(left) && FileSystem.exists(other))
        for path in others { #expect(try FileSystem.exists(path)) }
        writer.close()
        try AtomicFile.removeLeftovers(in: folder.path, of: "b.json")
        #expect(try !FileSystem.exists(other))
    }

    @Test("writers go on while others clean up")
    func cleaningBesideWriting() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("record.json")
        let cleaner = try Thread(name: "cleaner") {
            for _ in 0..<2000 { try? AtomicFile.removeLeftovers(in: folder.path) }
        }
        for number in 0..<200 { try AtomicFile.write("\(number)", to: path) }
        cleaner.join()
        #expect(try FileSystem.list(folder.path) == ["record.json"])
    }

    @Test("removing a tree does not follow links out of it")
    func removeTree() throws {
        let folder = try TemporaryFolder()
        let kept = folder.path.appending("kept")
        try FileSystem.makeDirectory(kept)
        try AtomicFile.write("x", to: kept.appending("file"))
        let tree = folder.path.appending("tree")
        try FileSystem.makeDirectory(tree.appending("a").appending("b"))
        #expect(try ChildProcess.run(["ln", "-s", kept.string, tree.appending("link").string]).outcome.isSuccess)
        try FileSystem.removeTree(tree)
        #expect(try FileSystem.list(folder.path) == ["kept"])
        #expect(try FileSystem.list(kept) == ["file"])
    }

    @Test("reading refuses a file longer than its limit")
    func readLimit() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("large")
        try AtomicFile.write(String(repeating: "x", count: 100), to: path)
        #expect(throws: SystemError("read", path, .fileTooLarge)) { try FileSystem.read(path, limit: 99) }
        #expect(try FileSystem.read(path, limit: 100).count == 100)
    }

    @Test(
        "dates",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_772_366_400, "2026-03-01T12:00:00Z"),
        ])
    func timestamps(seconds: Int64, text: String) {
        #expect(timestamp(seconds) == text)
    }
}
