import Testing

@testable import wander

/// What pages of documentation come to in Markdown and for man(1).
@Suite struct PageTests {
    private func page(_ blocks: [Page.Block]) -> Page {
        Page(name: "thing", chapter: 5, chapterTitle: "Things", summary: "a thing", blocks: blocks)
    }

    private func markdown(_ block: Page.Block) -> String {
        String(page([block]).markdown(title: "T", origin: "O").dropFirst("<!-- O -->\n\n# T\n\n".count))
    }

    @Test(
        "code between quotes becomes Markdown's code, and an apostrophe stays",
        arguments: [
            ("'a b', then 'c'.", "`a b`, then `c`."),
            ("the box's disk and users' keys", "the box's disk and users' keys"),
            ("the machine's 'x' (or 'y')", "the machine's `x` (or `y`)"), ("a\n'b'", "a\n`b`"), ("'open", "'open"),
            ("'it's so'", "`it's so`"),
        ])
    func inline(text: String, expected: String) {
        #expect(markdown(.paragraph(text)) == expected + "\n")
    }

    @Test("a table has a cell for each column, and no cell breaks it")
    func table() {
        let entries = [Page.Entry(name: "a", meaning: "this | that", facts: ["x"]), Page.Entry(name: "b", meaning: "")]
        let expected = "| | takes | meaning |\n|---|---|---|\n| `a` | x | this \\| that |\n| `b` |  |  |\n"
        #expect(markdown(.entries(entries, columns: ["takes"])) == expected)
    }

    @Test("nothing in a text is taken for a request to troff, or printed as another character")
    func troff() {
        let lines = page([.paragraph(".so /etc/passwd\nit's \\fBa-b~ ^`")]).troff.split(separator: "\n")
        let expected = [".PP", "\\&.so /etc/passwd", "it\\(aqs \\efBa\\-b\\(ti \\(ha\\(ga"]
        #expect(lines.suffix(3).map(String.init) == expected)
    }

    @Test("an entry's facts become sentences, and those without a word are left out")
    func facts() {
        let entry = Page.Entry(name: "cpus", meaning: "Processors.", facts: ["a number", ""])
        let text = page([.entries([entry], columns: ["takes", "default"])]).troff
        #expect(text.hasSuffix(".TP\n\\fBcpus\\fR\nProcessors.\nTakes: a number.\n"))
    }

    @Test("a text of help keeps its examples, and fills its sentences")
    func help() {
        let text = page(Page.blocks("One.\nTwo.\n\nwander up\n  -x  y\nThree.")).troff
        #expect(text.hasSuffix("\n.PP\nOne.\nTwo.\n.PP\n.nf\nwander up\n  \\-x  y\n.fi\n.PP\nThree.\n"))
    }
}
