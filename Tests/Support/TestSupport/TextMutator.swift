/// Changes texts at random, the same way for the same seed.
public struct TextMutator {
    /// Pieces that mean something to the reader.
    private let tokens: [String]
    private var generator: SeededGenerator
    private let corpus: [[UInt8]]

    public init(seed: UInt64, corpus: [[UInt8]], tokens: [String]) {
        self.tokens = tokens
        generator = SeededGenerator(seed: seed)
        self.corpus = corpus
    }

    public mutating func next() -> UInt64 { generator.next() }

    private mutating func below(_ bound: Int) -> Int { bound <= 0 ? 0 : Int(next() % UInt64(bound)) }

    /// A text of the corpus with a few changes, at most 16 KiB.
    public mutating func text() -> [UInt8] {
        var text = corpus[below(corpus.count)]
        for _ in 0...below(6) { change(&text) }
        return Array(text.prefix(16 << 10))
    }

    private mutating func change(_ text: inout [UInt8]) {
        let start = below(text.count + 1)
        let end = min(text.count, start + below(40))
        switch below(8) {
        case 0: text.insert(contentsOf: Array(tokens[below(tokens.count)].utf8), at: start)
        case 1: text.replaceSubrange(start..<end, with: Array(tokens[below(tokens.count)].utf8))
        case 2: text.removeSubrange(start..<end)
        case 3: text.insert(contentsOf: Array(text[start..<end]), at: below(text.count + 1))
        case 4: if start < text.count { text[start] = UInt8(truncatingIfNeeded: next()) }
        case 5:
            let other = corpus[below(corpus.count)]
            let from = below(other.count)
            text.insert(contentsOf: Array(other[from..<min(other.count, from + below(200))]), at: start)
        case 6: swapLines(&text)
        default: text.insert(contentsOf: Array(repeating: 0x20, count: below(5)), at: start)
        }
    }

    private mutating func swapLines(_ text: inout [UInt8]) {
        var lines = text.split(separator: 0x0a, omittingEmptySubsequences: false).map(Array.init)
        lines.swapAt(below(lines.count), below(lines.count))
        text = Array(lines.joined(separator: [0x0a]))
    }
}
