/// A box's version, ordered as RubyGems orders versions, because Vagrant's catalogues are written for that order.
public struct BoxVersion: Sendable, CustomStringConvertible {
    /// As its author wrote it, without surrounding space. Names the box's folder and the catalogue's entry.
    public let description: String

    enum Segment: Hashable, Sendable {
        /// Decimal digits without leading zeros; empty for 0.
        case number(String)
        case text(String)
    }
    /// Every segment; `-` has become `.pre.`.
    let segments: [Segment]
    /// ``segments`` without what does not count in comparisons: zeros at the end and before the first letter.
    private let significant: [Segment]

    /// The version of a box that does not have one.
    public static let unversioned = BoxVersion(description: "0", segments: [.number("")])

    /// nil unless `text` is numbers and letters joined by dots, the first a number, as in `1.2.3`, `2.0.2.dev` or
    /// `0.1.0-alpha.2`; 64 bytes at most.
    public init?(_ text: String) {
        let trimmed = text.trimmed
        guard !trimmed.isEmpty, trimmed.utf8.count <= 64 else { return nil }
        let halves = trimmed.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard Self.isDotted(halves[0], allowing: { $0.isASCIILetterOrDigit }) else { return nil }
        guard let first = halves[0].split(separator: ".").first, first.utf8.allSatisfy(\.isASCIIDigit) else {
            return nil
        }
        if halves.count == 2 {
            guard Self.isDotted(halves[1], allowing: { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") }) else {
                return nil
            }
        }
        self.init(description: trimmed, segments: Self.segments(of: trimmed))
    }

    init(description: String, segments: [Segment]) {
        self.description = description
        self.segments = segments
        let letters = segments.firstIndex { if case .text = $0 { true } else { false } } ?? segments.endIndex
        significant = Self.withoutTrailingZeros(segments[..<letters]) + Self.withoutTrailingZeros(segments[letters...])
    }

    /// The segments before the first letters.
    var release: [Segment] { Array(segments.prefix { if case .number = $0 { true } else { false } }) }

    private static func isDotted(_ text: Substring, allowing: (UInt8) -> Bool) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy(allowing)
        }
    }

    /// Runs of digits and runs of letters.
    private static func segments(of text: String) -> [Segment] {
        var result: [Segment] = []
        var run: [UInt8] = []
        func end() {
            guard let first = run.first else { return }
            let string = String(decoding: run, as: UTF8.self)
            result.append(first.isASCIIDigit ? .number(String(string.drop { $0 == "0" })) : .text(string))
            run = []
        }
        for byte in text.utf8 {
            if byte == UInt8(ascii: "-") {
                end()
                result.append(.text("pre"))
            } else if !byte.isASCIILetterOrDigit {
                end()
            } else {
                if let last = run.last, last.isASCIIDigit != byte.isASCIIDigit { end() }
                run.append(byte)
            }
        }
        end()
        return result
    }

    private static func withoutTrailingZeros(_ segments: ArraySlice<Segment>) -> [Segment] {
        Array(segments.reversed().drop { $0 == .number("") }.reversed())
    }
}

extension BoxVersion: Comparable {
    public static func == (left: Self, right: Self) -> Bool { left.significant == right.significant }
    public func hash(into hasher: inout Hasher) { hasher.combine(significant) }

    public static func < (left: Self, right: Self) -> Bool {
        let zero = Segment.number("")
        for index in 0..<max(left.significant.count, right.significant.count) {
            let one = index < left.significant.count ? left.significant[index] : zero
            let other = index < right.significant.count ? right.significant[index] : zero
            if one != other { return isOrdered(one, before: other) }
        }
        return false
    }

    private static func isOrdered(_ left: Segment, before right: Segment) -> Bool {
        switch (left, right) {
        case (.text, .number): true
        case (.number, .text): false
        case (.text(let one), .text(let other)): one.utf8.lexicographicallyPrecedes(other.utf8)
        case (.number(let one), .number(let other)):
            one.utf8.count == other.utf8.count
                ? one.utf8.lexicographicallyPrecedes(other.utf8) : one.utf8.count < other.utf8.count
        }
    }
}

extension BoxVersion: Hashable {}
