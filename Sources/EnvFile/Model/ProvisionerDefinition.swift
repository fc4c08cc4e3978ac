/// One step of provisioning.
public struct ProvisionerDefinition: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        /// The text of a script. A first line that starts with `#!` names its interpreter; otherwise `sh -eu` runs it.
        case inline(String)
        /// A script of the host.
        case script(HostPath)
        case ansible(PlaybookDefinition)
        /// A file or a folder that wander puts into the machine.
        case file(FileDefinition)
        /// Restarts the machine and waits until it is back.
        case restart
    }
    public enum User: String, Hashable, Sendable, CaseIterable {
        case root
        /// The user that wander logs in as.
        case login = "user"
    }
    public enum When: String, Hashable, Sendable, CaseIterable {
        /// Until it has succeeded, and again when its definition has changed.
        case changed
        /// Until it has succeeded.
        case once
        /// At every start.
        case always
        /// Only when named on the command line.
        case manual
    }

    /// Unique in its machine; `step-N` where the file gives none.
    public var name: String
    public var action: Action
    public var arguments: [String]
    public var environment: [String: String]
    public var user: User
    public var when: When
    /// nil: none.
    public var timeout: Duration?
    /// Whether the script and its output stay out of logs and messages.
    public var isSensitive: Bool
    /// Whether it may restart the machine; the next step waits until the machine is back.
    public var mayRestart = false
    /// Whether it has a terminal.
    public var hasTerminal = false
    /// The machine's secrets that it has in its environment, by name.
    public var secrets: [String] = []
}
