import Reporting
import Testing

@Suite struct DiagnosticTests {
    @Test("shows position, line, caret and hint")
    func rendering() {
        let diagnostic = Diagnostic(
            .error, "unknown key 'memry'", hint: "did you mean 'memory'?",
            at: SourceLocation(file: "Wanderfile", line: 3, column: 3), sourceLine: "  memry: 2GiB", length: 5)
        #expect(
            diagnostic.rendered == """
                Wanderfile:3:3: error: unknown key 'memry'
                      memry: 2GiB
                      ^~~~~
                    did you mean 'memory'?
                """)
    }

    @Test("a hostile line cannot move the cursor, and a long one is cut around the caret")
    func hostileLine() {
        let escape = Diagnostic(
            .error, "x", at: SourceLocation(file: "W", line: 1, column: 2), sourceLine: "\u{1b}[2J\u{7}a")
        #expect(!escape.rendered.contains("\u{1b}"))
        let long = Diagnostic(
            .error, "x", at: SourceLocation(file: "W", line: 1, column: 3000),
            sourceLine: String(repeating: "a", count: 2999) + "!" + String(repeating: "b", count: 500))
        let lines = long.rendered.split(separator: "\n")
        let column = lines[2].distance(from: lines[2].startIndex, to: lines[2].firstIndex(of: "^") ?? lines[2].endIndex)
        #expect(lines[1].count <= 110)
        #expect(Array(lines[1])[column] == "!")
    }

    @Test(
        "suggests the name that was meant",
        arguments: [("memry", "memory"), ("hatl", "halt"), ("stauts", "status"), ("xyzzy", nil), ("boxx", "box")])
    func suggestions(typed: String, meant: String?) {
        #expect(nearest(to: typed, in: ["box", "halt", "memory", "status", "up"]) == meant)
    }

    @Test(
        "byte counts read well",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (10 << 30, "10.0 GiB"),
            (150 << 20, "150 MiB"), (UInt64.max, "15.9 EiB"),
        ] as [(UInt64, String)])
    func byteCounts(bytes: UInt64, text: String) {
        #expect(ByteCount(bytes).description == text)
    }

    @Test("exit statuses are the documented ones")
    func exitStatuses() {
        #expect(ErrorKind.allCases.map(\.exitStatus) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 64, 130])
    }
}
