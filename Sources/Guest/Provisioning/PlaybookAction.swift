public import SystemPackage

/// A playbook to run, on the host or in the guest.
public struct PlaybookAction: Hashable, Sendable {
    /// A file or folder of the host that the playbook consists of, or uses.
    public struct Input: Hashable, Sendable {
        /// Absolute.
        public var path: FilePath
        /// Where it is among the others, relative.
        public var name: String

        public init(_ path: FilePath, name: String) {
            self.path = path
            self.name = name
        }
    }

    public var isInGuest: Bool
    /// The name of the playbook among the inputs.
    public var playbook: String
    public var inputs: [Input]
    /// Names among the inputs; nil: none.
    public var configuration: String?
    public var galaxy: String?
    public var vaultPasswordFile: String?
    /// Words of `ansible-playbook`, without those about files.
    public var options: [String]
    /// Variables above all others, as a file that it reads; empty: none. They may be secret.
    public var variables: [UInt8]
    /// What the playbook is told of the machines and does not change by itself.
    public var inventory: [UInt8]
    public var environment: [String: String]
    /// The names of secrets that it has as environment variables.
    public var secrets: [String] = []
    /// What its environment has in a guest beside its own: another value of these makes no other step.
    public private(set) var surroundings: [String: String] = [:]
    /// Who runs it in the guest; nil: the user who logs in.
    public var user: String? = "root"
    /// nil for no limit.
    public var timeout: Duration?

    public init(
        isInGuest: Bool, playbook: String, inputs: [Input], options: [String], variables: [UInt8], inventory: [UInt8],
        environment: [String: String] = [:], timeout: Duration? = nil
    ) {
        self.isInGuest = isInGuest
        self.playbook = playbook
        self.inputs = inputs
        self.options = options
        self.variables = variables
        self.inventory = inventory
        self.environment = environment
        self.timeout = timeout
    }

    public func surrounded(by values: [String: String]) -> PlaybookAction {
        var copy = self
        if isInGuest { copy.surroundings = values }
        return copy
    }

    /// Stands for one of which only the step's name matters.
    public static let unknown = PlaybookAction(
        isInGuest: false, playbook: "", inputs: [], options: [], variables: [], inventory: [])

    /// Everything that `ansible-playbook` gets.
    /// - Parameter place: Where an input is.
    public func words(inventory: String, variables path: String, place: (String) -> String) -> [String] {
        var words = ["ansible-playbook", "--inventory", inventory] + options
        if !variables.isEmpty { words += ["--extra-vars", "@\(path)"] }
        if let vaultPasswordFile { words += ["--vault-password-file", place(vaultPasswordFile)] }
        return words + [place(playbook)]
    }

    /// The environment of both programs.
    public func environment(place: (String) -> String) -> [String: String] {
        var values = environment
        // Its lines come as it says them, and without colours.
        values["PYTHONUNBUFFERED"] = "1"
        values["ANSIBLE_NOCOLOR"] = "1"
        if let configuration { values["ANSIBLE_CONFIG"] = place(configuration) }
        return values
    }
}
