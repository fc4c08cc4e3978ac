import Glibc
import LinuxSystem
import NetworkControl
import SystemPackage
import TestSupport
import Testing

@testable import UserNetwork

@Suite struct LogTests {
    private func lines(_ path: FilePath) throws -> [Substring] {
        String(decoding: try FileSystem.read(path), as: UTF8.self).split(separator: "\n")
    }

    @Test("messages that a guest provokes are limited in number") func flood() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("network.log")
        var log = Log(try BoundedLog(path, limit: BoundedLog.reportLimit))
        for number in 0..<10_000 { log.write("message \(number)\u{1b}[2J") }
        let lines = try lines(path)
        #expect(lines.count >= Log.burst && lines.count < Log.burst + 30)
        #expect(lines.allSatisfy { !$0.utf8.contains(0x1b) })
    }

    @Test("what libslirp and glib say by themselves is in the same log, within the same limit") func library() throws {
        let test = try TestNetwork(persistent: true)
        typealias Complaint = @convention(c) (UnsafePointer<CChar>?, UnsafePointer<CChar>, UnsafePointer<CChar>) -> Void
        // What glib's own checks of arguments call; it has no variable arguments.
        let symbol = try #require(dlsym(dlopen(nil, RTLD_NOW), "g_return_if_fail_warning"))
        let complain = unsafeBitCast(symbol, to: Complaint.self)
        for _ in 0..<1000 { complain("Slirp", "some_function", "so != NULL") }
        let said = try lines(NetworkConfiguration.logFile(in: test.folder)).filter { $0.contains("so != NULL") }
        #expect(said.count > 10 && said.count < 100)
        #expect(said.allSatisfy { $0.contains("libslirp: ") })
    }
}
