/// What a box is called: `debian/12`, `team/builder`, `my-box`.
public struct BoxName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let description: String

    /// - Throws: ``BoxError/invalidName(_:)`` unless `text` is 1 to 128 ASCII letters, digits and `._+~-`, in parts
    ///   joined by `/` that start with a letter or digit.
    public init(_ text: String) throws(BoxError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let marks = Set("._+~-".utf8)
        let valid = parts.allSatisfy { part in
            guard let first = part.utf8.first, first.isASCIILetterOrDigit else { return false }
            return part.utf8.allSatisfy { $0.isASCIILetterOrDigit || marks.contains($0) }
        }
        guard valid, text.utf8.count <= 128 else { throw .invalidName(text) }
        description = text
    }

    /// The name as one component of a path. `%` is in no name, so two names never share a folder.
    var folder: String {
        description.split(separator: "/").joined(separator: "%2F")
    }

    init?(folder: String) {
        var parts: [String] = []
        var rest = folder[...]
        while let range = rest.firstRange(of: "%2F") {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        parts.append(String(rest))
        guard let name = try? BoxName(parts.joined(separator: "/")) else { return nil }
        self = name
    }

    public static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}
