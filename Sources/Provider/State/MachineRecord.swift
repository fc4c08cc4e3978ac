public import JSON
public import NetworkAddress

/// What wander knows about a machine: the journal of its life. It is written before and after every side effect, so
/// that whatever instant a command was killed at, the next one sees what was under way.
public struct MachineRecord: Sendable, Hashable {
    /// What was being done when the record was last written. A stage that ends in -ing names work that may be half
    /// done.
    public enum Stage: String, Sendable, CaseIterable {
        case creating, stopped, starting, running, stopping, destroying
    }

    /// A box as the machine was made from it.
    public struct BoxIdentity: Sendable, Hashable {
        public var name: String
        public var version: String
        public var architecture: String
        /// The archive's digest, `sha256:` and hexadecimal digits.
        public var digest: String?
        /// The digest of the disk in it; nil in the record of an older machine.
        var disk: String?

        init(name: String, version: String, architecture: String, digest: String?, disk: String? = nil) {
            self.name = name
            self.version = version
            self.architecture = architecture
            self.digest = digest
            self.disk = disk
        }
    }

    /// The process that runs the machine.
    public struct ProcessIdentity: Sendable, Hashable {
        public var identifier: Int32
        /// The 22nd field of /proc/PID/stat, which tells a reused number apart.
        public var started: String
    }

    /// A port of the host that leads to the machine, as it was set up.
    public struct Forward: Sendable, Hashable {
        public var name: String?
        public var transport: Transport
        public var bind: String
        public var hostPort: UInt16
        public var guestPort: UInt16
    }

    public var identifier: String
    public var name: String
    public var provider: ProviderKind
    public var stage: Stage
    /// Seconds since 1970.
    public var created: Int64
    public var changed: Int64
    public var box: BoxIdentity
    /// The card's Ethernet address, the same for the machine's whole life.
    public var hardwareAddress: MACAddress
    public var user: String
    /// The definition that the machine was last started with, in its canonical form; nil before the first start.
    public var definition: JSONValue?
    public var process: ProcessIdentity?
    /// Whether SSH answered and first contact was completed since the last start.
    public var isReady = false
    /// Whether the machine's own key has replaced the well-known one.
    public var hasOwnKey = false
    /// The guest's SSH host key as first seen: `ssh-ed25519 AAAA...`.
    public var hostKey: String?
    public var forwards: [Forward] = []
    /// Whether the network that it was last started in lets it out; nil in the record of an older machine.
    var internet: Bool?
    /// The addresses of that network, such as `10.77.0.0/24`.
    var subnet: String?
    /// What the machine was last started with.
    public var shares: [MachineShare] = []
    /// Whether the guest has mounted its shares since the last start.
    var hasMountedShares = false
    /// Whether the guest's /etc/fstab may have lines of shares.
    var hasShareLines = false
    /// One record a provisioner, as `Provisioning` writes them.
    public var provisioning: JSONValue = .array([])
    /// The frozen layers that the disk stands on, the uppermost first.
    var layers: [String] = []
    /// Whether the layer that the guest writes to is to be made anew.
    var needsLayer = false
    /// The oldest first.
    public var snapshots: [MachineSnapshot] = []

    public init(
        identifier: String, name: String, provider: ProviderKind, stage: Stage, created: Int64, box: BoxIdentity,
        hardwareAddress: MACAddress, user: String
    ) {
        self.identifier = identifier
        self.name = name
        self.provider = provider
        self.stage = stage
        self.created = created
        changed = created
        self.box = box
        self.hardwareAddress = hardwareAddress
        self.user = user
    }
}

/// What runs a machine.
public enum ProviderKind: String, Sendable, Hashable, CaseIterable {
    /// wander-vmm on /dev/kvm.
    case kvm
    /// QEMU's translator, for hosts whose KVM is missing, forbidden or emulating.
    case emulation
}
