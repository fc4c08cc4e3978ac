public import SystemPackage

/// One thing to do to a machine so that it becomes what its definition says.
public struct ProvisioningStep: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        case shell(ShellAction)
        case file(FileAction)
        case playbook(PlaybookAction)
        /// Restarts the guest and waits until it is back.
        case restart
    }
    public enum When: String, Hashable, Sendable, CaseIterable {
        /// Until it has succeeded, and again when its definition has changed.
        case changed
        /// Until it has succeeded.
        case once
        /// At every start.
        case always
        /// Only when named.
        case manual
    }

    /// Unique in its machine.
    public var name: String
    /// Its name in messages if its own name was made up: a short form of what it does.
    public var label: String?
    public var action: Action
    public var when: When
    /// Whether its script and its output stay out of logs and messages.
    public var isSensitive: Bool

    public init(name: String, action: Action, when: When = .changed, isSensitive: Bool = false) {
        self.name = name
        self.action = action
        self.when = when
        self.isSensitive = isSensitive
    }

    /// For people.
    public var title: String { label ?? name }

    /// What `--provision-with` accepts for it besides its name.
    public var type: String {
        switch action {
        case .shell: "shell"
        case .file: "file"
        case .playbook: "ansible"
        case .restart: "reboot"
        }
    }
}

/// Text or bytes that are part of a definition, or a place on the host where they are.
public enum StepContent: Hashable, Sendable {
    case bytes([UInt8])
    /// An absolute path.
    case source(FilePath)
}

/// A script to run in the guest.
public struct ShellAction: Hashable, Sendable {
    /// A first line that starts with `#!` names its interpreter; otherwise `sh -eu` runs it.
    public var script: StepContent
    public var arguments: [String]
    public var environment: [String: String]
    /// In the guest; nil is the user who logs in.
    public var user: String?
    /// nil for no limit.
    public var timeout: Duration?
    /// Whether it may restart the guest; the next step waits until the guest is back.
    public var mayRestart = false
    /// What its environment has beside its own: another value of these makes no other step.
    public var surroundings: [String: String] = [:]
    /// The names of the secrets that its environment has.
    public var secrets: [String] = []
    /// Whether its input and its outputs are a terminal. What it leaves in the background ends with the terminal.
    public var hasTerminal = false

    public init(
        script: StepContent, arguments: [String] = [], environment: [String: String] = [:], user: String? = "root",
        timeout: Duration? = nil
    ) {
        self.script = script
        self.arguments = arguments
        self.environment = environment
        self.user = user
        self.timeout = timeout
    }
}

/// A file to put into the guest, or a folder whose contents go there.
public struct FileAction: Hashable, Sendable {
    public var content: StepContent
    /// In the guest.
    public var path: String
    /// Permission bits of a file; the files of a folder keep their own.
    public var permissions: UInt32?
    /// `user` or `user:group`.
    public var owner: String?
    /// The user who writes it; nil: the user who logs in.
    public var user: String?

    public init(
        content: StepContent, path: String, permissions: UInt32? = nil, owner: String? = nil, user: String? = "root"
    ) {
        self.content = content
        self.path = path
        self.permissions = permissions
        self.owner = owner
        self.user = user
    }
}
