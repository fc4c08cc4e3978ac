import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import wander_log

@Suite struct LogKeeperTests {
    @Test("what comes down a pipe is in its log, from the first byte to the last, and the end of all pipes is the end")
    func copies() throws {
        let folder = try TemporaryFolder()
        let first = try OwnedDescriptor.pipe()
        let second = try OwnedDescriptor.pipe()
        // Before anybody reads, and after the writer is gone.
        try first.write.writeAll("from the first byte\n")
        try second.write.writeAll("another log\n")
        let keeper = try LogKeeper()
        try keeper.add(
            first.keepRead(), to: BoundedLog(folder.path.appending("console.log"), limit: BoundedLog.consoleLimit))
        try keeper.add(
            second.keepRead(), to: BoundedLog(folder.path.appending("monitor.log"), limit: BoundedLog.reportLimit))
        try keeper.run()
        #expect(try FileSystem.read(folder.path.appending("console.log")) == Array("from the first byte\n".utf8))
        #expect(try FileSystem.read(folder.path.appending("monitor.log")) == Array("another log\n".utf8))
    }

    @Test("arguments are pairs of a file and a size")
    func arguments() throws {
        let parsed = try #require(logs(["console.log", "16", "monitor.log", "1"]))
        #expect(parsed.map(\.path) == ["console.log", "monitor.log"])
        #expect(parsed.map(\.limit) == [16, 1])
        for wrong in [[], ["a"], ["a", "0"], ["a", "-1"], ["a", "x"], ["", "1"], ["a", "1", "b"]] as [[String]] {
            #expect(logs(wrong) == nil)
        }
    }
}
