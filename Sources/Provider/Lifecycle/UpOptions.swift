/// What `up`, `reload` and `provision` were asked to do about provisioners.
public enum ProvisioningChoice: Sendable, Hashable {
    /// What has not succeeded yet, has changed, or runs always.
    case asNeeded
    /// All but the manual ones, whether they have succeeded or not.
    case all
    case none
    /// Those with one of these names or types.
    case only([String])
}

public struct UpOptions: Sendable, Hashable {
    public var provisioning = ProvisioningChoice.asNeeded
    /// Whether wander removes a machine that this command made if it never answers.
    public var destroyOnError = true

    public init() {}
}

/// What a command did to a machine.
public struct MachineOutcome: Sendable, Hashable {
    public enum Action: String, Sendable, Hashable {
        case created, started, resumed, provisioned, stopped, suspended, restarted, destroyed, unchanged, declined
        case saved, restored, deleted
    }
    public var machine: String
    public var actions: [Action]
    public var forwards: [MachineRecord.Forward] = []
    public var message: String?
    /// The snapshot that was saved, restored or deleted.
    public var snapshot: String?

    public init(machine: String, actions: [Action]) {
        self.machine = machine
        self.actions = actions
    }
}
