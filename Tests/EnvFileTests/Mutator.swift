import TestSupport

/// Changes texts at random, the same way for the same seed.
struct Mutator {
    /// Pieces that mean something to YAML or to the schema.
    static let tokens = [
        "box", "machines", "defaults", "ports", "provision", "run", "networks", "depends_on", "count", "vars", "env",
        "x-",
        ": ", "- ", "\n", "  ", "\t", "{", "}", "[", "]", ",", "\"", "'", "|", ">", "|-", "#", "&a ", "*a", "<<: *a",
        "!!str ",
        "%YAML 1.2\n", "---\n", "...\n", "? ", "~", "null", "true", "0", "-1", "65536", "18446744073709551616", "4GiB",
        "999999999999TiB", "1e9", "0.0001GiB", "99999999999h", "never", "${", "}", "${A}", "${A:-b}", "$$",
        "1-65535:1-65535",
        "8080:80", "/udp", "10.0.0.0/24", "255.255.255.255", "\u{0}", "\u{1b}[2J", "\u{feff}", "\u{85}", "\u{2028}",
        "é", "\r\n",
        "\\", "\\x00", "\\U00110000", "\\ud800",
    ]
    private var generator: SeededGenerator
    private let corpus: [[UInt8]]

    init(seed: UInt64, corpus: [[UInt8]]) {
        generator = SeededGenerator(seed: seed)
        self.corpus = corpus
    }

    mutating func next() -> UInt64 { generator.next() }

    private mutating func below(_ bound: Int) -> Int { bound <= 0 ? 0 : Int(next() % UInt64(bound)) }

    /// A text of the corpus with a few changes, at most 16 KiB.
    mutating func text() -> [UInt8] {
        var text = corpus[below(corpus.count)]
        for _ in 0...below(6) { change(&text) }
        return Array(text.prefix(16 << 10))
    }

    private mutating func change(_ text: inout [UInt8]) {
        let start = below(text.count + 1)
        let end = min(text.count, start + below(40))
        switch below(8) {
        case 0: text.insert(contentsOf: Array(Self.tokens[below(Self.tokens.count)].utf8), at: start)
        case 1: text.replaceSubrange(start..<end, with: Array(Self.tokens[below(Self.tokens.count)].utf8))
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
