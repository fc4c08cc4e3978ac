import LinuxSystem
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
