import JSON
import Testing

@Suite struct JSONParserTests {
    @Test("reads every kind of value")
    func values() throws {
        let value = try JSONParser.parse(
            #" {"a": [1, -2.5, 1e3, true, false, null], "b": {"c": "x\u00e9\ud83d\ude00\n"}} "#)
        #expect(value["a"] == .array([1, .number(-2.5), .number(1000), true, false, nil]))
        #expect(value["b"]?["c"] == .string("xé😀\n"))
        #expect(value["a"]?.arrayValue?[2].integerValue == 1000)
    }

    @Test(
        "refuses what RFC 8259 does not allow",
        arguments: [
            "", "{", "[1,]", "{\"a\":1,}", "01", "+1", "1.", ".5", "nul", "'a'", "\"\\x\"", "\"\u{1}\"", "[1] 2",
            "{\"a\":1,\"a\":2}", "\"\\ud800\"", "\"\\udc00x\"", "1e999", "NaN", "[", "{\"a\"}", "\"abc", "\"\\u12g4\"",
        ])
    func refusals(text: String) {
        #expect(throws: JSONError.self) { try JSONParser.parse(text) }
    }

    @Test("refuses text that is not UTF-8, too long or too deep")
    func bounds() {
        #expect(throws: JSONError.malformed("text that is not UTF-8", offset: 3)) {
            try JSONParser.parse([0x22, 0xff, 0x22])
        }
        #expect(throws: JSONError.tooLarge(limit: 4)) { try JSONParser.parse("[1,2]", limit: 4) }
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONError.tooDeep(limit: JSONParser.depthLimit)) { try JSONParser.parse(deep) }
    }

    @Test("what it writes reads back as the same value", arguments: [true, false])
    func roundTrip(pretty: Bool) throws {
        let value: JSONValue = [
            "text": "quote \" backslash \\ control \u{1} line\n", "list": [], "empty": [:], "number": .number(0.1),
            "nested": ["a": [1, [2]], "b": nil],
        ]
        #expect(try JSONParser.parse(pretty ? value.pretty : value.compact) == value)
    }

    @Test("writes members in their order, one line or indented")
    func layout() {
        let value: JSONValue = ["b": 1, "a": [true]]
        #expect(value.compact == #"{"b":1,"a":[true]}"#)
        #expect(value.pretty == "{\n  \"b\": 1,\n  \"a\": [\n    true\n  ]\n}\n")
    }

    @Test("a reader names the path of what is missing or of the wrong type")
    func reader() throws {
        let reader = try JSONObjectReader(["name": 1], path: "metadata.json")
        #expect(throws: JSONError.missing("metadata.json: provider")) { try reader.string("provider") }
        #expect(throws: JSONError.wrongType("metadata.json: name", expected: "text")) { try reader.string("name") }
    }
}
