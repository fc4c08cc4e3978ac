/// The processor that a box is made for, by its Debian name, which is also the catalogues': `amd64`, `arm64`.
public struct Architecture: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let description: String

    public static let amd64 = Architecture(known: "amd64")
    public static let arm64 = Architecture(known: "arm64")
    /// The architecture of boxes that do not name one.
    public static let unknown = Architecture(known: "unknown")

    /// The processor that wander runs on.
    public static var host: Architecture {
        #if arch(arm64)
        arm64
        #else
        amd64
        #endif
    }

    private init(known: String) { description = known }

    /// Takes the kernel's and GNU's names too, such as `x86_64` and `aarch64`.
    /// - Throws: ``BoxError/invalidArchitecture(_:)`` for anything but 1 to 32 lower-case letters, digits, `_` and `-`.
    public init(_ text: String) throws(BoxError) {
        let lower = text.lowercased()
        let marks = Set("_-".utf8)
        guard (1...32).contains(lower.utf8.count), lower.utf8.first?.isASCIILetterOrDigit == true,
            lower.utf8.allSatisfy({ $0.isASCIILetterOrDigit || marks.contains($0) })
        else { throw .invalidArchitecture(text) }
        let aliases = ["x86_64": "amd64", "x64": "amd64", "aarch64": "arm64", "i686": "i386", "386": "i386"]
        description = aliases[lower] ?? lower
    }

    public static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}
