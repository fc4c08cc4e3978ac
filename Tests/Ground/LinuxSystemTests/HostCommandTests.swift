import Glibc
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import LinuxSystem

/// Programs of the host that work for a command.
@Suite struct HostCommandTests {
    private func run(
        _ script: String, _ arguments: [String] = [], milliseconds: Int64? = 20_000, cancellation: Cancellation? = nil,
        environment: [String: String] = [:], output: ((String) throws -> Void)? = nil
    ) throws -> (ending: HostCommand.Ending, output: String, error: String) {
        var command = HostCommand(["/bin/sh", "-c", script, "sh"] + arguments)
        command.milliseconds = milliseconds
        command.environment = environment
        var texts = (output: [UInt8](), error: [UInt8]())
        let ending = try command.run(cancellation: cancellation) { stream, bytes in
            if stream == .output { texts.output += bytes } else { texts.error += bytes }
            try output?(String(decoding: bytes, as: UTF8.self))
        }
        return (ending, String(decoding: texts.output, as: UTF8.self), String(decoding: texts.error, as: UTF8.self))
    }

    @Test("what a program prints, its status, its arguments and its environment come through")
    func plain() throws {
        let result = try run(
            "echo \"$1 $WORD\"; echo no >&2; [ -t 0 ] || cat; exit 7", ["a b"], environment: ["WORD": "it's"])
        #expect(result.ending == .ended(.exited(7)))
        #expect(result.output == "a b it's\n" && result.error == "no\n")
        #expect(try run("kill -9 $$").ending == .ended(.signalled(9)))
        let long = try run("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i + 1)); done")
        #expect(long.output.utf8.count == 220_000)
    }

    @Test("what it leaves in the background is not waited for, and goes on")
    func background() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("late", [])
        let result = try run("( sleep 1; echo yes >\"$1\" ) & echo done", [file.string])
        #expect(result.ending == .ended(.exited(0)) && result.output == "done\n")
        #expect(try FileSystem.read(file).isEmpty)
        MonotonicClock.sleep(milliseconds: 2500)
        #expect(try FileSystem.read(file) == Array("yes\n".utf8))
    }

    @Test("a program whose time is over is ended with all that it has started, however deaf it is")
    func timeOut() throws {
        let folder = try TemporaryFolder()
        let result = try run(
            "trap '' TERM; echo $$ >\"$1\"; sleep 600 & sleep 600; sleep 600", [folder("id").string], milliseconds: 300)
        #expect(result.ending == .timedOut)
        let leader = try #require(
            Int32(String(decoding: FileSystem.read(folder("id")), as: UTF8.self).split(separator: "\n")[0]))
        #expect(isGone(leader))
        #expect(try run("sleep 600", milliseconds: 300).ending == .timedOut)
    }

    @Test("a request to stop ends it; one that came before keeps it from being started")
    func interrupted() throws {
        let cancellation = try Cancellation()
        let result = try run("echo begun; sleep 600", cancellation: cancellation) { _ in cancellation.request() }
        #expect(result.ending == .interrupted && result.output == "begun\n")
        #expect(throws: Interruption.self) { try run("true", cancellation: cancellation) }
    }

    @Test("what its reader throws ends it")
    func failingReader() throws {
        struct Full: Error {}
        var leader: Int32 = 0
        #expect(throws: Full.self) {
            try run("echo $$; sleep 600") { text in
                leader = Int32(text.split(separator: "\n").first ?? "") ?? 0
                throw Full()
            }
        }
        #expect(leader > 0 && isGone(leader))
    }

    /// Whether no process of a session is left, within seconds.
    private func isGone(_ leader: Int32) -> Bool {
        for _ in 0..<100 {
            if kill(-leader, 0) != 0 { return true }
            MonotonicClock.sleep(milliseconds: 50)
        }
        return false
    }
}
