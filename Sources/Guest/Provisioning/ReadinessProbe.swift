/// A question to a machine whose answer decides whether it is ready.
public struct ReadinessProbe: Hashable, Sendable {
    public enum Check: Hashable, Sendable {
        /// Something accepts connections on this TCP port, as seen from the machine itself.
        case tcp(UInt16)
        /// This shell command exits with 0 in the machine, as root.
        case run(String)
        /// This address answers with a status from 200 to 399, asked from within the machine's network.
        case http(String)
        /// This path exists in the machine.
        case file(String)
    }

    public var name: String
    public var check: Check
    /// How long to ask before giving up.
    public var timeout: Duration
    /// The time between two questions.
    public var interval: Duration
    /// What to tell the user when the probe fails.
    public var hint: String?
    /// The environment of commands.
    public var environment: [String: String]

    public init(
        name: String, check: Check, timeout: Duration = .seconds(120), interval: Duration = .seconds(1),
        hint: String? = nil,
        environment: [String: String] = [:]
    ) {
        self.name = name
        self.check = check
        self.timeout = timeout
        self.interval = interval
        self.hint = hint
        self.environment = environment
    }
}
