import LinuxSystem
import Reporting
import Testing

@Suite struct PatienceTests {
    @Test("pauses grow up to the longest, and begin again")
    func pace() {
        var pace = Pace(first: .milliseconds(100), growing: 2, most: .milliseconds(500))
        #expect((0..<5).map { _ in pace.nextMilliseconds() } == [100, 200, 400, 500, 500])
        pace.restart()
        #expect(pace.nextMilliseconds() == 100)
        var endless = Pace(first: .milliseconds(Int64.max), growing: 10, most: .milliseconds(Int64.max))
        #expect(endless.nextMilliseconds() == .max)
        #expect(endless.nextMilliseconds() == .max)
    }

    @Test("a wait ends with the first answer, and says at its end what the last try came to")
    func answers() throws {
        var count = 0
        let patience = Patience(until: .now.advanced(byMilliseconds: 60_000), first: .milliseconds(1))
        let value = try patience.wait(for: "the third") { () -> Patience.Answer<Int> in
            count += 1
            return count == 3 ? .here(count) : .notYet(because: nil)
        }
        #expect(value == 3)
        let short = Patience(
            until: .now.advanced(byMilliseconds: 50), first: .milliseconds(1), growing: 2, most: .milliseconds(20))
        let error = #expect(throws: TimeIsOver.self) {
            try short.wait(for: "nothing") { () -> Patience.Answer<Int> in .notYet(because: "it is not there") }
        }
        #expect(error?.reason == "it is not there")
        #expect(error?.kind == .timeout)
    }

    @Test("a wait without any time tries once, one that is cancelled not at all")
    func ends() throws {
        var count = 0
        func attempt() -> Patience.Answer<Int> {
            count += 1
            return .notYet(because: nil)
        }
        #expect(throws: TimeIsOver.self) { try Patience(until: .now, first: .seconds(1)).wait(for: "it", attempt) }
        #expect(count == 1)
        let cancellation = try Cancellation()
        cancellation.request()
        #expect(throws: Interruption.self) {
            try Patience(until: nil, first: .seconds(1), cancellation: cancellation).wait(for: "it", attempt)
        }
        #expect(count == 1)
    }
}
