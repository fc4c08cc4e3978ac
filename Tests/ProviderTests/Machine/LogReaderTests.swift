import LinuxSystem
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Provider

@Suite struct LogReaderTests {
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

    @Test("a log that starts anew and soon is longer than what was read of it is followed without a gap")
    func rotationPastTheReader() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("console.log")
        let log = try BoundedLog(path, limit: 1000)
        let reader = try LogReader(path)
        #expect(try reader.existing(lines: nil) == "")
        var expected = ""
        func write(_ count: Int, _ word: String) {
            for number in 0..<count {
                let line = "\(word) \(number)\n"
                log.write(Array(line.utf8))
                expected += line
            }
        }
        // Nothing, little and much has been read when it starts anew, and what follows is more than that.
        var followed = ""
        for (number, count) in [150, 5, 100, 40, 100].enumerated() {
            write(count, "round \(number)")
            followed += try reader.next()
        }
        #expect(followed == expected)
        #expect(try reader.next() == "")
    }

    @Test("lines that are gone for good are told as missing, and no line twice", .timeLimit(.minutes(15)))
    func lost() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("console.log")
        let log = try BoundedLog(path, limit: 1000)
        log.write(Array("first\n".utf8))
        let reader = try LogReader(path)
        #expect(try reader.existing(lines: nil) == "first\n")
        for number in 0..<1000 { log.write(Array("line \(number)\n".utf8)) }
        let lines = try reader.next().split(separator: "\n").map(String.init)
        #expect(lines.first.map { $0 + "\n" } == LogReader.gap)
        let start = 1001 - lines.count
        #expect(Array(lines.dropFirst()) == (start..<1000).map { "line \($0)" })
        // A writer that never waits for its reader: what is shown is in order, and each gap is told.
        let last = 100_000
        final class Flag: Sendable { let isUp = Atomic<Bool>(false) }
        let end = Flag()
        let writer = try LinuxSystem.Thread(name: "writer") {
            defer { end.isUp.store(true, ordering: .releasing) }
            guard let log = try? BoundedLog(path, limit: 64 << 10) else { return }
            for number in 1000...last { log.write(Array("line \(number)\n".utf8)) }
        }
        var (expected, shown) = (1000, 0)
        while true {
            // Known before the look: what is read after the writer's end is all that there is.
            let isLast = end.isUp.load(ordering: .acquiring)
            let text = try reader.next()
            if isLast, text.isEmpty { break }
            var isGap = false
            for line in text.split(separator: "\n") {
                if line + "\n" == LogReader.gap {
                    isGap = true
                    continue
                }
                // After a gap a line may lack its beginning.
                guard let number = Int(line.drop { !$0.isNumber }), line.hasPrefix("line ") || isGap else {
                    Issue.record("\(line)")
                    break
                }
                #expect(isGap ? number >= expected : number == expected)
                (expected, shown, isGap) = (number + 1, shown + 1, false)
            }
        }
        writer.join()
        #expect(expected == last + 1)
        #expect(shown > 1000)
    }
}
