import SSH
import Testing

@Suite struct OutputFrameTests {
    private static let (begin, end) = ("fedcba9876543210", "0123456789abcdef")

    private func said(_ frame: inout OutputFrame, _ text: String, in pieces: Int) -> String {
        var output: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            output += frame.filter(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
        }
        return String(decoding: output, as: UTF8.self)
    }

    @Test("the end is found at any cut, and everything before it is output", arguments: 1..<40)
    func end(pieces: Int) {
        var frame = OutputFrame(to: Self.end)
        #expect(frame.hasBegun)
        let text = "out 0123456789abcdeX\nmore\(Self.end) 7\nignored"
        #expect(said(&frame, text, in: pieces) == "out 0123456789abcdeX\nmore")
        #expect(frame.status == 7)
        #expect(frame.rest.isEmpty)
    }

    @Test("what comes before the beginning is no output", arguments: 1..<60)
    func beginning(pieces: Int) {
        var frame = OutputFrame(from: Self.begin, to: Self.end)
        let text = "Welcome!\nfedcba987654321X\(Self.begin)fedcba9876543210 in\(Self.end) 0\nBye!\n"
        #expect(said(&frame, text, in: pieces) == "fedcba9876543210 in")
        #expect(frame.status == 0)
        #expect(String(decoding: frame.preamble, as: UTF8.self) == "Welcome!\nfedcba987654321X")
    }

    @Test("the word without a number behind it is output", arguments: 1..<40)
    func noNumber(pieces: Int) {
        var frame = OutputFrame(to: Self.end)
        let text = "+ echo \(Self.end) here\n\(Self.end) 99999999999999999 \(Self.end) 12\n"
        #expect(said(&frame, text, in: pieces) == "+ echo \(Self.end) here\n\(Self.end) 99999999999999999 ")
        #expect(frame.status == 12)
    }

    @Test("without an end nothing is lost")
    func none() {
        var frame = OutputFrame(to: "0123")
        #expect(Array(frame.filter([0x61, 0x30, 0x31])) + frame.rest == [0x61, 0x30, 0x31])
        #expect(frame.status == nil)
        var silent = OutputFrame(from: Self.begin, to: Self.end)
        #expect(said(&silent, "only a greeting", in: 4) == "" && silent.rest.isEmpty && !silent.hasBegun)
    }

    @Test("what comes before the beginning takes no memory")
    func flood() {
        var frame = OutputFrame(from: Self.begin, to: Self.end)
        for _ in 0..<1000 { _ = frame.filter([UInt8](repeating: 0x30, count: 65_536)[...]) }
        #expect(frame.preamble.count == 2048)
    }
}
