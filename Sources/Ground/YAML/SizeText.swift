/// Sizes as people write them: a number and a binary unit, such as `512MiB`, `4G` or `1.5GiB`.
public enum SizeText {
    static let units: [(names: [String], shift: UInt64)] = [
        (["TiB", "T"], 40), (["GiB", "G"], 30), (["MiB", "M"], 20), (["KiB", "K"], 10),
    ]

    /// In bytes; nil if `text` is no size or too large to count.
    public static func parse(_ text: String) -> UInt64? {
        for (names, shift) in units {
            for name in names where text.hasSuffix(name) {
                return parse(number: text.dropLast(name.count), shift: shift)
            }
        }
        return nil
    }

    private static func parse(number: Substring, shift: UInt64) -> UInt64? {
        let trimmed = number.hasSuffix(" ") ? number.dropLast() : number
        let parts = trimmed.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let whole = digits(first) else { return nil }
        let (scaled, overflow) = whole.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return scaled }
        // Three decimals are plenty, and keep the arithmetic exact in 64 bits.
        guard parts[1].count <= 3, let fraction = digits(parts[1]) else { return nil }
        let scale: UInt64 = parts[1].count == 1 ? 10 : parts[1].count == 2 ? 100 : 1000
        let (sum, overflows) = scaled.addingReportingOverflow((fraction << shift) / scale)
        return overflows ? nil : sum
    }

    private static func digits(_ text: Substring) -> UInt64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt64(text)
    }

    /// The size in the largest unit that divides it. A Wanderfile's are whole MiB, so that no part is lost.
    public static func format(_ bytes: UInt64) -> String {
        for (names, shift) in units where bytes >= 1 << shift && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(names[0])"
        }
        return "\(bytes >> 10)KiB"
    }
}
