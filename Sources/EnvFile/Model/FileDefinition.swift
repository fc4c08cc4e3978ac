/// A file that wander puts into a machine, before the provisioning steps or as one of them.
public struct FileDefinition: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        case text(String)
        case source(HostPath)
    }

    /// In the machine: absolute, or in the login user's home with `~/` in front.
    public var path: String
    public var content: Content
    /// Permission bits.
    public var mode: UInt16
    /// `user` or `user:group`, as chown(1) takes it; nil: the login user.
    public var owner: String?
}
