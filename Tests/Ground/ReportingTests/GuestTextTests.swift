import Reporting
import Testing

@Suite struct GuestTextTests {
    @Test("what a guest printed cannot command the terminal")
    func sanitized() {
        let text = GuestText.lines("one\u{1b}[31mtwo\u{1b}[0m\u{7}\r\r\n\u{9b}Athree\u{0}".utf8)
        #expect(
            text.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && !(0x7f...0x9f).contains($0.value)) })
        #expect(text == "onetwo\nthree")
    }

    @Test(
        "no text of a command to the terminal is left, whichever command and however it ends",
        arguments: ["\u{1b}]0;", "\u{1b}P", "\u{1b}_", "\u{1b}^", "\u{1b}X", "\u{9d}0;", "\u{90}", "\u{9f}"],
        ["\u{7}", "\u{1b}\\", "\u{9c}"])
    func titles(start: String, end: String) { #expect(GuestText.line("a\(start)rm -rf\(end)b".utf8) == "ab") }

    @Test("a command to the terminal without an end takes the rest of its line, not the next one")
    func openTitle() { #expect(GuestText.lines("a\u{1b}]0;title\nb".utf8) == "a\nb") }

    @Test("no direction is turned, and the choice of a character set is no text")
    func directions() { #expect(GuestText.lines("a\u{202e}b\u{2066}\n\u{1b}(Bc\n".utf8) == "ab\nc\n") }

    @Test("a line that was written over is shown as it was last; damaged UTF-8 is replaced")
    func overwritten() {
        #expect(GuestText.line("10 %\r 99 %\r100 %\r\n".utf8) == "100 %")
        #expect(GuestText.line([0x61, 0xff, 0x62]) == "a\u{fffd}b")
    }
}
