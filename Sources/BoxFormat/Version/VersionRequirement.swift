/// Which versions of a box are acceptable: conditions joined by commas, all of which must hold, such as `>= 1.2, < 2`.
public struct VersionRequirement: Hashable, Sendable, CustomStringConvertible {
    enum Comparison: String, Sendable, CaseIterable {
        case notEqual = "!="
        case greaterOrEqual = ">="
        case lessOrEqual = "<="
        case compatible = "~>"
        case equal = "="
        case greater = ">"
        case
            less = "<"
    }
    struct Condition: Hashable, Sendable {
        var comparison: Comparison
        var version: BoxVersion
    }

    let conditions: [Condition]
    public let description: String

    /// Any version.
    public static let any = VersionRequirement(conditions: [], description: ">= 0")

    /// Exactly `version`.
    public init(exactly version: BoxVersion) {
        self.init(conditions: [Condition(comparison: .equal, version: version)], description: "= \(version)")
    }

    private init(conditions: [Condition], description: String) {
        self.conditions = conditions
        self.description = description
    }

    /// - Throws: ``BoxError/invalidRequirement(_:)``
    public init(_ text: String) throws(BoxError) {
        var conditions: [Condition] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let part = String(part).trimmed
            let comparison = Comparison.allCases.first { part.hasPrefix($0.rawValue) }
            guard conditions.count < 32,
                let version = BoxVersion(String(part.dropFirst(comparison?.rawValue.count ?? 0)))
            else { throw .invalidRequirement(text) }
            conditions.append(Condition(comparison: comparison ?? .equal, version: version))
        }
        self.init(conditions: conditions, description: text.trimmed)
    }

    public func isSatisfied(by version: BoxVersion) -> Bool {
        conditions.allSatisfy { $0.isSatisfied(by: version) }
    }

    /// The one version that can satisfy the requirement, if there is only one.
    public var exactVersion: BoxVersion? {
        conditions.first { $0.comparison == .equal }?.version
    }
}

extension VersionRequirement.Condition {
    func isSatisfied(by candidate: BoxVersion) -> Bool {
        switch comparison {
        case .equal: candidate == version
        case .notEqual: candidate != version
        case .greater: candidate > version
        case .greaterOrEqual: candidate >= version
        case .less: candidate < version
        case .lessOrEqual: candidate <= version
        case .compatible: candidate >= version && BoxVersion(segments: candidate.release) < version.nextIncompatible
        }
    }
}

extension BoxVersion {
    fileprivate init(segments: [Segment]) {
        let words = segments.map { segment in
            switch segment {
            case .number(let digits): digits.isEmpty ? "0" : digits
            case .text(let letters): letters
            }
        }
        self.init(description: words.joined(separator: "."), segments: segments)
    }

    /// The first release that `~>` excludes: `~> 1.2.3` ends before 1.3, `~> 1.2` and `~> 1` before 2.
    fileprivate var nextIncompatible: BoxVersion {
        var segments = release
        if segments.count > 1 { segments.removeLast() }
        if case .number(let digits) = segments.popLast() { segments.append(.number(Self.successor(of: digits))) }
        return BoxVersion(segments: segments)
    }

    /// One more than a decimal number of any length.
    private static func successor(of digits: String) -> String {
        var bytes = Array(digits.utf8)
        var index = bytes.count
        while index > 0 {
            index -= 1
            if bytes[index] < UInt8(ascii: "9") {
                bytes[index] += 1
                return String(decoding: bytes, as: UTF8.self)
            }
            bytes[index] = UInt8(ascii: "0")
        }
        return "1" + String(decoding: bytes, as: UTF8.self)
    }
}
