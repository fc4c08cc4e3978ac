import Testing

@testable import EnvFile

@Suite struct SelectorTests {
    @Test(
        "patterns of machine names",
        arguments: [
            ("web", "web", true), ("web-1", "web*", true), ("web", "w?b", true), ("web", "*", true), ("web", "", false),
            ("web", "we", false), ("node-12", "*-1?", true), ("node-12", "*-2*1", false), ("aaaa", "a*a*a*b", false),
        ])
    func patterns(name: String, pattern: String, fits: Bool) {
        #expect(GlobPattern(pattern).matches(name) == fits)
        #expect(MachineSelector(pattern).matches(name: name, group: nil) == fits)
    }

    @Test("a pattern made to be slow is not")
    func slowPattern() {
        let name = String(repeating: "a", count: 2000)
        #expect(!GlobPattern(String(repeating: "a*", count: 200) + "b").matches(name))
    }

    @Test(
        "a word means a group by its whole name, and by a regular expression what it is found in",
        arguments: [
            ("node", true), ("nod", false), ("/^node-[0-9]+$/", true), ("/e-1/", true), ("/^1/", false), ("//", false),
            ("/node-12", false),
        ])
    func words(word: String, fits: Bool) {
        #expect(MachineSelector(word).matches(name: "node-12", group: "node") == fits)
    }
}
