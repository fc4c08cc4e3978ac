import LinuxSystem

/// A word of the command line that means machines: a name, the name of a group that `count` made, a pattern with `*`
/// and `?`, or, between slashes, a regular expression; no name has a slash.
public struct MachineSelector: Hashable, Sendable {
    private let word: String

    public init(_ word: String) { self.word = word }

    public func matches(name: String, group: String?) -> Bool {
        if group == word { return true }
        guard word.utf8.count > 2, word.hasPrefix("/"), word.hasSuffix("/") else {
            return GlobPattern(word).matches(name)
        }
        return RegularExpression(String(word.dropFirst().dropLast())).matches(name)
    }
}
