/// A file that wander puts into a machine before the provisioning steps.
public struct FileDefinition: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        case text(String)
        case source(HostPath)
    }

    /// Absolute, in the machine.
    public var path: String
    public var content: Content
    /// Permission bits.
    public var mode: UInt16
    /// `user` or `user:group`, as chown(1) takes it.
    public var owner: String
}
