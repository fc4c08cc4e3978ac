/// A value that steps get and that is written down nowhere: where it comes from.
public struct SecretDefinition: Hashable, Sendable {
    public enum Source: Hashable, Sendable {
        /// A variable of wander's own environment.
        case environment(String)
        /// A file of the host; a line break at its end is not part of the value.
        case file(HostPath)
        /// What a command of the host prints, run by `sh` in the project's folder; without line breaks at its end.
        case command(String)
    }

    /// The variable that steps have it in.
    public var name: String
    public var source: Source
}
