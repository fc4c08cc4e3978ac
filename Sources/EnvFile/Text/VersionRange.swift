/// A program version such as `0.3` or `1.2.3-beta.1`.
public struct ProgramVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Missing numbers count as 0.
    var numbers: [Int]
    /// A pre-release comes before the release of the same numbers.
    var prerelease: String?

    /// nil if `text` is not a version.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let release = parts.first else { return nil }
        numbers = []
        for part in release.split(separator: ".", omittingEmptySubsequences: false) {
            guard !part.isEmpty, part.count <= 9, part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(part)
            else { return nil }
            numbers.append(number)
        }
        guard (1...4).contains(numbers.count) else { return nil }
        if parts.count == 2 {
            guard !parts[1].isEmpty else { return nil }
            prerelease = String(parts[1])
        }
    }

    public static func < (left: ProgramVersion, right: ProgramVersion) -> Bool {
        for index in 0..<max(left.numbers.count, right.numbers.count) {
            let (a, b) = (left.number(index), right.number(index))
            if a != b { return a < b }
        }
        return switch (left.prerelease, right.prerelease) {
        case (nil, _): false
        case (_, nil): true
        case (let a?, let b?): a < b
        }
    }

    public static func == (left: ProgramVersion, right: ProgramVersion) -> Bool { !(left < right) && !(right < left) }

    public func hash(into hasher: inout Hasher) {
        for index in 0..<4 { hasher.combine(number(index)) }
        hasher.combine(prerelease)
    }

    func number(_ index: Int) -> Int { index < numbers.count ? numbers[index] : 0 }

    public var description: String {
        numbers.map(String.init).joined(separator: ".") + (prerelease.map { "-\($0)" } ?? "")
    }
}

/// Which versions are good enough: comparisons joined by commas, such as `>= 0.3, < 2`.
public struct VersionRange: Hashable, Sendable, CustomStringConvertible {
    enum Comparison: String, CaseIterable {
        case atLeast = ">="
        case atMost = "<="
        case notEqual = "!="
        /// `~> 1.2` means at least 1.2 and below 2; `~> 1.2.3` at least 1.2.3 and below 1.3.
        case compatible = "~>"
        case above = ">"
        case below = "<"
        case equal = "="
    }

    var terms: [(comparison: Comparison, version: ProgramVersion)]
    /// As it was written.
    public let description: String

    /// nil if `text` is not a range of versions.
    public init?(_ text: String) {
        terms = []
        description = text
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let term = part.drop { $0 == " " }
            let comparison = Comparison.allCases.first { term.hasPrefix($0.rawValue) }
            var rest = term.dropFirst(comparison?.rawValue.count ?? 0).drop { $0 == " " }
            while rest.last == " " { rest.removeLast() }
            guard let version = ProgramVersion(rest), terms.count < 16 else { return nil }
            terms.append((comparison ?? .equal, version))
        }
    }

    public func contains(_ version: ProgramVersion) -> Bool {
        terms.allSatisfy { term in
            switch term.comparison {
            case .equal: version == term.version
            case .notEqual: version != term.version
            case .above: version > term.version
            case .below: version < term.version
            case .atLeast: version >= term.version
            case .atMost: version <= term.version
            case .compatible: version >= term.version && Self.isCompatible(version, with: term.version)
            }
        }
    }

    private static func isCompatible(_ version: ProgramVersion, with floor: ProgramVersion) -> Bool {
        let fixed = max(1, floor.numbers.count - 1)
        return (0..<fixed).allSatisfy { version.number($0) == floor.number($0) }
    }

    public static func == (left: VersionRange, right: VersionRange) -> Bool { left.description == right.description }
    public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}
