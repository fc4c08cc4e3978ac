/// Which box a machine is made from.
public struct BoxReference: Hashable, Sendable, CustomStringConvertible {
    public enum Source: Hashable, Sendable {
        /// A name such as `debian/12`, which the box store and its sources know.
        case name(String)
        case url(String)
        case path(HostPath)
    }

    public var source: Source
    /// Which versions of a named box are acceptable; nil: any.
    public var versionConstraint: VersionRange?
    /// `sha256:` and 64 hexadecimal digits, of the box file; nil: not pinned here.
    public var digest: String?

    public var description: String {
        switch source {
        case .name(let text), .url(let text): text
        case .path(let path): path.text
        }
    }
}
