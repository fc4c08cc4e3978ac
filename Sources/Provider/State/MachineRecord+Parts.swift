public import NetworkAddress

extension MachineRecord {
    /// A box as the machine was made from it.
    public struct OriginBox: Sendable, Hashable {
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

    /// What the machine has a disk for cloud-init for.
    public enum SeedPurpose: String, Sendable, Hashable, CaseIterable {
        /// The login user and the machine's key, since its box says that it takes them there.
        case login
        /// Only what the Wanderfile says.
        case userData = "user-data"
    }

    /// The process that runs the machine.
    public struct ProcessIdentity: Sendable, Hashable {
        public var identifier: Int32
        /// The 22nd field of /proc/PID/stat, which differs when the number is used again.
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
}

/// What runs a machine.
public enum ProviderKind: String, Sendable, Hashable, CaseIterable {
    /// wander-vmm on /dev/kvm.
    case kvm
    /// QEMU's translator, for hosts whose KVM is missing, forbidden or emulating.
    case emulation
}
