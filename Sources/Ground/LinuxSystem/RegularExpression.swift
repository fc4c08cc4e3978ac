import CLinux

/// A POSIX extended regular expression (regex(7)), and `\d` for a digit, which everybody writes. Found anywhere in a
/// text.
public struct RegularExpression: Sendable, Hashable {
    private let pattern: String

    public init(_ pattern: String) {
        self.pattern = pattern.split(separator: "\\d", omittingEmptySubsequences: false).joined(separator: "[0-9]")
    }

    /// False also for an expression that is not valid.
    public func matches(_ text: String) -> Bool { unsafe linux_matches(pattern, text) != 0 }
}
