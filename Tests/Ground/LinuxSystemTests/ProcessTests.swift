import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import LinuxSystem

@Suite struct ProcessTests {
    @Test("a program gets arguments, input and environment, and gives output, error and status")
    func run() throws {
        var options = ChildProcess.Options()
        options.environment = ["PATH=/usr/bin:/bin", "WORD=two words"]
        let input = [UInt8](repeating: 65, count: 1_000_000)
        let result = try ChildProcess.run(
            ["sh", "-c", "wc -c; echo \"$1 $WORD\"; echo oops >&2; exit 3", "sh", "a b"], input: input, options)
        #expect(result.outcome == .exited(3))
        #expect(String(decoding: result.output, as: UTF8.self) == "1000000\na b two words\n")
        #expect(String(decoding: result.error, as: UTF8.self) == "oops\n")
    }

    @Test("a program that reads no input and one that is not there are no trouble")
    func oddPrograms() throws {
        Signals.ignore(13)
        let input = [UInt8](repeating: 65, count: 1_000_000)
        #expect(try ChildProcess.run(["true"], input: input).outcome.isSuccess)
        #expect(throws: SystemError("start", "no-such-program", .noSuchFileOrDirectory)) {
            try ChildProcess.run(["no-such-program"])
        }
    }

    @Test("only the named descriptors reach a child, from number 3 on")
    func descriptors() throws {
        let pipe = try OwnedDescriptor.pipe()
        try pipe.read.setInheritable(true)
        var options = ChildProcess.Options()
        options.extraDescriptors = [pipe.write.rawValue]
        let result = try ChildProcess.run(["sh", "-c", "echo hello >&3; ls /proc/self/fd"], options)
        // 0 to 2, the named one, and the one that `ls` itself has opened.
        #expect(String(decoding: result.output, as: UTF8.self).split(separator: "\n").count == 5)
        #expect(try pipe.read.read(upTo: 100) == Array("hello\n".utf8))
    }

    @Test("a confined process gets no secrets by its environment")
    func confinedEnvironment() throws {
        let all = [
            "PATH=/usr/bin", "LC_ALL=C.UTF-8", "LCD=x", "AWS_SECRET_ACCESS_KEY=x", "PATHS=x", "TZ=UTC",
        ]
        #expect(environmentOfConfinedProcess(all) == ["PATH=/usr/bin", "LC_ALL=C.UTF-8", "TZ=UTC"])
    }

    @Test("of a child that nobody waits for nothing stays behind")
    func abandoned() throws {
        let identifier = try ChildProcess.start(["true"]).identifier
        let limit = MonotonicClock.now.advanced(byMilliseconds: 10_000)
        // A process that has ended is there until its status is collected.
        while kill(identifier, 0) == 0, MonotonicClock.now < limit {
            ChildProcess.collectAbandoned()
            MonotonicClock.sleep(milliseconds: 5)
        }
        #expect(kill(identifier, 0) != 0)
    }

    @Test("a wait ends at its time-out and at a cancellation")
    func waiting() throws {
        let child = try ChildProcess.start(["sleep", "60"])
        #expect(try child.wait(milliseconds: 10) == nil)
        let cancellation = try Cancellation()
        cancellation.request()
        #expect(try child.wait(cancellation: cancellation) == nil)
        child.signal(15)
        #expect(try child.wait(milliseconds: 10_000) == .signalled(15))
    }

    @Test("every element is handed to a thread once, no more than the limit at a time")
    func threads() throws {
        let folder = try TemporaryFolder()
        let path = folder.path
        try Thread.forEach(Array(0..<50), limit: 4, name: "test") { number in
            try? AtomicFile.write("", to: path.appending("\(number)"))
        }
        #expect(try FileSystem.list(path).count == 50)
    }
}
