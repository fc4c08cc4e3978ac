import Reporting
import Testing

@Suite struct CountedTests {
    @Test(
        "one is one, and everything else is several",
        arguments: [(0, "0 machines"), (1, "1 machine"), (2, "2 machines"), (21, "21 machines")])
    func nouns(count: Int, words: String) { #expect(counted(count, "machine") == words) }

    @Test("a plural of its own")
    func plural() {
        #expect(counted(UInt64(1), "entry", "entries") == "1 entry")
        #expect(counted(UInt64(3), "entry", "entries") == "3 entries")
    }
}
