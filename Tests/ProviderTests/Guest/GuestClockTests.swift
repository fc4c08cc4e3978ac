import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// The script that sets a guest's clock, run by this host's shells beside a date(1) of the test's own.
@Suite struct GuestClockTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// - Parameters:
    ///   - date: What date(1) does when it is to set the time; `$*` are its arguments.
    ///   - now: What it says, in seconds.
    private func run(now: Int64, told: String, date: String) throws -> (
        GuestClock.Outcome?, calls: String
    ) {
        let calls = folder("calls")
        try AtomicFile.write("", to: calls)
        let text = """
            #!/bin/sh
            [ "$*" = +%s ] && { echo \(now); exit; }
            echo "$*" >>"\(calls)"
            \(date)
            """
        try FileSystem.makeDirectory(folder("bin"))
        try AtomicFile.write(text, to: folder("bin/date"), permissions: 0o755)
        // By its path, so that no shell has a date(1) of its own: this host's clock stays as it is.
        let script = GuestClock.script.replacing("date ", with: "\(folder("bin/date")) ")
        let result = try ChildProcess.run(
            ["sh", "-c", "echo 'Welcome to w0rd!'; " + script, "sh", "w0rd"], input: Array(told.utf8))
        return (
            GuestClock.Outcome(String(decoding: result.output, as: UTF8.self), after: "w0rd"),
            String(decoding: try FileSystem.read(calls, limit: 4096), as: UTF8.self)
        )
    }

    @Test("a clock that is behind is set, with its fraction")
    func behind() throws {
        let (outcome, calls) = try run(
            now: 1_000_000, told: GuestClock.line(seconds: 1_000_020, nanoseconds: 700), date: "")
        #expect(outcome == .set(behind: 20))
        #expect(calls == "-u -s @1000020.000000700\n")
    }

    @Test("a clock that is right or ahead is left alone", arguments: [0, 1, 100_000] as [Int64])
    func ahead(by seconds: Int64) throws {
        let (outcome, calls) = try run(
            now: 1_000_000 + seconds, told: GuestClock.line(seconds: 1_000_000, nanoseconds: 0), date: "")
        #expect(outcome == .right && calls.isEmpty)
    }

    @Test("a date(1) that knows whole seconds alone gets the nearest one, one without -s its own words")
    func otherPrograms() throws {
        let told = GuestClock.line(seconds: 1_000_020, nanoseconds: 600_000_000)
        let busyBox = try run(now: 1_000_000, told: told, date: "case $* in *.*) exit 1 ;; esac")
        #expect(busyBox.0 == .set(behind: 20))
        #expect(busyBox.calls.hasSuffix("-u -s @1000021\n"))
        let toybox = try run(now: 1_000_000, told: told, date: "case $* in *-s*) exit 1 ;; esac")
        #expect(toybox.0 == .set(behind: 20))
        #expect(toybox.calls.hasSuffix("-u @1000021\n"))
    }

    @Test("a guest that refuses says why, and one that says nothing is not believed")
    func refused() throws {
        let told = GuestClock.line(seconds: 1_000_020, nanoseconds: 0)
        let (outcome, _) = try run(now: 1_000_000, told: told, date: "echo 'date: not permitted' >&2; exit 1")
        #expect(outcome == .failed("date: not permitted"))
        #expect(try run(now: 1_000_000, told: "", date: "").0 == nil)
        #expect(GuestClock.Outcome("w0rd set many\nother set 20\n", after: "w0rd") == nil)
    }
}
