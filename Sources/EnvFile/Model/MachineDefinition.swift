public import NetworkAddress

/// What a Wanderfile says about one machine, every default filled in.
public struct MachineDefinition: Hashable, Sendable {
    /// How a machine starts.
    public enum Firmware: String, Sendable, Hashable, CaseIterable {
        /// In its box's kernel if there is one, or else by what finds a boot loader on the disk.
        case auto
        case bios
        case uefi
    }

    public struct SSH: Hashable, Sendable {
        /// A TCP port of the host that leads to the machine's SSH server; nil: none.
        public var port: UInt16?
        public var forwardAgent: Bool
    }
    public struct Dependency: Hashable, Sendable {
        public enum Condition: String, Hashable, Sendable, CaseIterable { case started, provisioned, ready }
        public var machine: String
        public var condition: Condition
    }
    public struct Provider: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable, CaseIterable { case auto, kvm, emulation }
        public struct Emulation: Hashable, Sendable {
            /// QEMU's name of the processor to emulate.
            public var processor: String
            /// QEMU's cache of translated code, in bytes.
            public var translationCache: UInt64
        }
        public var kind: Kind
        public var emulation: Emulation
    }

    /// Unique in the environment. Machines made by `count` have `-1`, `-2`, ... at the end.
    public var name: String
    /// The name under `machines`, which several machines made by `count` share.
    public var group: String
    /// The machine's number in the group, from 1.
    public var index: Int
    public var box: BoxReference
    public var hostname: String
    public var cpus: Int
    /// In bytes; a whole number of MiB.
    public var memory: UInt64
    /// The least size of the disk, in bytes; nil: the box's.
    public var disk: UInt64?
    /// What starts the machine.
    public var firmware: Firmware
    /// The user to log in as; nil: the box's.
    public var user: String?
    /// User-data for the box's cloud-init.
    public var cloudInit: FileDefinition.Content?
    public var ssh: SSH
    public var ports: [PortDefinition]
    /// The ports of the host's loopback interface that it reaches; none in a network without the Internet.
    public var hostPorts: [HostPorts]
    public var shares: [SharedFolder]
    public var networks: [NetworkAttachment]
    /// For provisioning steps, probes and `wander ssh -c`.
    public var environment: [String: String]
    public var proxy: ProxyDefinition?
    /// Certificates of authorities that the machine trusts beside its system's own, in PEM.
    public var caCertificates: [HostPath]
    public var secrets: [SecretDefinition]
    public var files: [FileDefinition]
    public var provision: [ProvisionerDefinition]
    /// In the order of the file, event by event.
    public var hooks: [HookDefinition]
    public var ready: [ProbeDefinition]
    public var dependsOn: [Dependency]
    public var autostart: Bool
    public var isPrimary: Bool
    /// How long a graceful stop may take.
    public var stopTimeout: Duration
    /// How long the machine may take from its start until SSH answers.
    public var bootTimeout: Duration
    /// Shown after `up`.
    public var message: String?
    public var labels: [String: String]
    public var provider: Provider
}
