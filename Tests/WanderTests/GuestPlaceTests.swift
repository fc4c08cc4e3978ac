import Testing

@testable import wander

@Suite struct GuestPlaceTests {
    private func place(_ text: String, option: String? = nil) throws(GuestPlace.Ambiguity) -> [String?] {
        let place = try GuestPlace(text, option: option, machines: ["web", "db"])
        return [place.machine, place.path]
    }

    @Test("a machine's name before a colon is the machine")
    func named() throws {
        #expect(try place("db:/tmp/") == ["db", "/tmp/"])
        #expect(try place("db:") == ["db", "."])
        #expect(try place("db:a:b", option: "db") == ["db", "a:b"])
    }

    @Test(
        "what has no such name is a path", arguments: ["/a:b", "./db:/tmp", "~/x:y", "~:x", "plain", ":x", "a/b:c", ""])
    func path(text: String) throws {
        #expect(try place(text) == [nil, text])
        #expect(try place(text, option: "web") == ["web", text])
    }

    @Test("what may be meant in two ways is an error that says what to type")
    func ambiguous() throws {
        let unknown = #expect(throws: GuestPlace.Ambiguity.self) { try place("dv:/tmp/") }
        #expect(unknown?.remedy == "For a file of that name in the user's home: './dv:/tmp/'. Machines: web, db")
        let two = #expect(throws: GuestPlace.Ambiguity.self) { try place("db:/tmp/", option: "web") }
        #expect(two?.remedy == "Say 'db:/tmp/' without --machine, or './db:/tmp/' for a file of that name in 'web'.")
    }
}
