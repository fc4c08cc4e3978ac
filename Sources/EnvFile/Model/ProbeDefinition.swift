/// A question to a machine whose answer decides whether it is ready.
public struct ProbeDefinition: Hashable, Sendable {
    public enum Check: Hashable, Sendable {
        /// Something accepts connections on this TCP port of the machine.
        case tcp(UInt16)
        /// This shell command exits with 0 in the machine, as root.
        case run(String)
        /// This URL answers with a status from 200 to 399, asked from within the machine's network.
        case http(String)
        /// This path exists in the machine.
        case file(String)
    }

    /// Unique in its machine.
    public var name: String
    public var check: Check
    /// How long to ask before giving up.
    public var timeout: Duration
    /// How long to wait between two questions.
    public var interval: Duration
    /// What to tell the user when the probe fails.
    public var hint: String?
}
