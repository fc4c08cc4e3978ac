import LinuxSystem
import SystemPackage
import SSH
import TestSupport
import Testing

@testable import Provider

@Suite struct NamesAndLogsTests {
    @Test(
        "patterns of machine names",
        arguments: [
            ("web", "web", true), ("web-1", "web*", true), ("web", "w?b", true), ("web", "*", true), ("web", "", false),
            ("web", "we", false), ("node-12", "*-1?", true), ("node-12", "*-2*1", false), ("aaaa", "a*a*a*b", false),
        ])
    func patterns(name: String, pattern: String, fits: Bool) {
        #expect(matches(name, pattern: pattern) == fits)
    }

    @Test("a pattern made to be slow is not")
    func slowPattern() {
        let name = String(repeating: "a", count: 2000)
        #expect(!matches(name, pattern: String(repeating: "a*", count: 200) + "b"))
    }

    @Test("what a guest printed cannot command the terminal")
    func sanitized() {
        let text = GuestText.lines("one\u{1b}[31mtwo\u{1b}[0m\u{7}\r\r\n\u{9b}Athree\u{0}".utf8)
        #expect(
            text.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && !(0x7f...0x9f).contains($0.value)) })
        #expect(text == "onetwo\nthree")
    }

    @Test(
        "no text of a command to the terminal is left, whichever command, and no direction is turned",
        arguments: ["\u{1b}]0;", "\u{1b}P", "\u{1b}_", "\u{1b}^", "\u{1b}X", "\u{9d}0;", "\u{90}", "\u{9f}"])
    func titles(start: String) throws {
        for end in ["\u{7}", "\u{1b}\\", "\u{9c}"] {
            let folder = try TemporaryFolder()
            let path = folder.path.appending("console.log")
            try AtomicFile.write("a\(start)rm -rf\(end)b\u{202e}\n\u{1b}(Bc\n", to: path)
            #expect(try LogReader(path).existing(lines: nil) == "ab\nc\n")
            #expect(LogTail.lines(path, count: 2) == "ab\nc")
        }
    }

    @Test("fewer lines than none, and more than there can be")
    func extremes() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("console.log")
        try AtomicFile.write("one\ntwo\n", to: path)
        #expect(try LogReader(path).existing(lines: -5) == "")
        #expect(try LogReader(path).existing(lines: .max) == "one\ntwo\n")
    }

    @Test("a growing log is read to its end and on; one that was cut is read again")
    func reader() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("console.log")
        try AtomicFile.write("one\ntwo\nthree\n", to: path)
        let reader = try LogReader(path)
        #expect(try reader.existing(lines: 2) == "two\nthree\n")
        #expect(try reader.next() == "")
        let writer = try OwnedDescriptor.open(path, [.writeOnly, .append])
        try writer.writeAll("four\n")
        #expect(try reader.next() == "four\n")
        try writer.truncate(to: 0)
        try writer.writeAll("five\n")
        #expect(try reader.next() == "five\n")
        #expect(LogTail.lines(path, count: 1) == "five")
        #expect(LogTail.lines(folder.path.appending("none"), count: 1) == "")
    }

    @Test("a log that starts anew is followed without a gap, and its last lines are told from before that")
    func rotation() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("console.log")
        let log = try BoundedLog(path, limit: 100)
        log.write(Array("one\n".utf8))
        let reader = try LogReader(path)
        #expect(try reader.existing(lines: nil) == "one\n")
        var expected = ""
        var followed = ""
        for number in 0..<200 {
            log.write(Array("line \(number)\n".utf8))
            expected += "line \(number)\n"
            if number % 7 == 0 { followed += try reader.next() }
        }
        followed += try reader.next()
        #expect(followed == expected)
        let last = (195..<200).map { "line \($0)" }.joined(separator: "\n")
        #expect(LogTail.lines(path, count: 5) == last)
        #expect(try LogReader(path).existing(lines: 5) == last + "\n")
        // Right after it has started anew.
        log.write(Array(String(repeating: "x", count: 99).utf8))
        log.write(Array("\nfresh\n".utf8))
        #expect(LogTail.lines(path, count: 2).hasSuffix("x\nfresh"))
    }
}
