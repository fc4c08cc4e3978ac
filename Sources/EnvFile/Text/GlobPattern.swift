/// A pattern in which `*` stands for any characters and `?` for one.
struct GlobPattern: Hashable, Sendable {
    private let pattern: [UInt8]

    init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

    /// Takes time in proportion to the product of both lengths at most.
    func matches(_ text: String) -> Bool {
        let text = Array(text.utf8)
        var (p, t) = (0, 0)
        /// Where the last `*` stands, and how far the text had been read there.
        var star: (pattern: Int, text: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == 0x2a {
                star = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == 0x3f || pattern[p] == text[t] {
                p += 1
                t += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                p = last.pattern + 1
                t = last.text + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == 0x2a }
    }
}
