import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@Suite struct BoundedLogTests {
    private func text(_ path: FilePath) throws -> String { String(decoding: try FileSystem.read(path), as: UTF8.self) }

    @Test(
        "however much is written, both files stay within the limit, and the newest lines are there, whole and in order")
    func bounded() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("x.log")
        let log = try BoundedLog(path, limit: 1000)
        for number in 0..<5000 {
            log.write(Array("line \(number)\n".utf8))
            if number % 100 == 0 {
                for file in [path, BoundedLog.older(path)] { #expect(try FileSystem.read(file).count <= 1000) }
            }
        }
        let lines = try (text(BoundedLog.older(path)) + text(path)).split(separator: "\n")
        #expect(lines.count > 90)
        #expect(lines.map(String.init) == (5000 - lines.count..<5000).map { "line \($0)" })
    }

    @Test("the file stays the same file, so others may go on appending to it")
    func sameFile() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("x.log")
        let log = try BoundedLog(path, limit: 100)
        let other = try OwnedDescriptor.open(path, [.writeOnly, .append])
        let identity = try #require(try FileSystem.status(path)).inode
        for _ in 0..<10 { log.write([UInt8](repeating: 0x61, count: 60)) }
        try other.writeAll("from another process\n")
        #expect(try text(path).hasSuffix("from another process\n"))
        #expect(try FileSystem.status(path)?.inode == identity)
        // What others wrote counts too.
        try other.writeAll([UInt8](repeating: 0x62, count: 500))
        log.write(Array("new\n".utf8))
        #expect(try text(path) == "new\n")
    }

    @Test("a file that was too long before is cut at once, and its last lines are kept; one write is never too long")
    func longBefore() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("x.log")
        try AtomicFile.write(String(repeating: "old\n", count: 1000) + "last\n", to: path)
        let log = try BoundedLog(path, limit: 100)
        #expect(try text(path).isEmpty)
        #expect(try text(BoundedLog.older(path)).count == 100)
        #expect(try text(BoundedLog.older(path)).hasSuffix("old\nlast\n"))
        log.write([UInt8](repeating: 0x61, count: 1000) + Array("end".utf8))
        #expect(try FileSystem.read(path).count == 100)
        #expect(try text(path).hasSuffix("aend"))
    }

    @Test("a link in the log's place is not followed", arguments: ["x.log", "x.log.old"])
    func link(name: String) throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("precious", to: folder.path.appending("target"))
        #expect(symlink("target", folder.path.appending(name).string) == 0)
        let log = try BoundedLog(folder.path.appending("x.log"), limit: 10)
        for _ in 0..<3 { log.write(Array("12345678".utf8)) }
        #expect(try text(folder.path.appending("x.log")) == "12345678")
        #expect(try text(folder.path.appending("x.log.old")) == "12345678")
        #expect(try text(folder.path.appending("target")) == "precious")
    }
}
