/// A folder of the host that is in a machine too, live and in both directions.
public struct SharedFolder: Hashable, Sendable {
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// The machine may change what is in it.
        case readWrite = "rw"
        case readOnly = "ro"
    }

    public var host: HostPath
    /// Absolute, in the machine, without `.`, `..` and needless slashes. Unique in its machine.
    public var guest: String
    public var mode: Mode
    /// Whether wander makes a folder that the host lacks, instead of reporting it.
    public var createsHost: Bool

    /// As a Wanderfile writes it, such as `.:/project:ro`.
    public var text: String { "\(host):\(guest)\(mode == .readOnly ? ":ro" : "")" }
}
