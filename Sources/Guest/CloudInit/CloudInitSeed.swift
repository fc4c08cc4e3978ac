import JSON
public import NetworkAddress
public import SSH

/// What an image's cloud-init gets at each start of its machine: who the machine is, and what is to be done in it once.
///
/// - SeeAlso: <https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html>
public struct CloudInitSeed: Sendable {
    /// The file system's label, by which cloud-init finds the disk.
    static let label = "cidata"

    /// What is done once is done again where this differs from the last start's.
    public var instance: String
    public var hostname: String
    /// Who is logged in as: the image's own default user, under this name.
    public var user: String
    /// What the user's login accepts from the start on.
    public var keys: [SSHPublicKey]
    /// The card that gets its address by DHCP.
    public var hardwareAddress: MACAddress
    /// A team's own, as it is; nil for none.
    public var userData: [UInt8]?

    public init(
        instance: String, hostname: String, user: String, keys: [SSHPublicKey], hardwareAddress: MACAddress,
        userData: [UInt8]? = nil
    ) {
        self.instance = instance
        self.hostname = hostname
        self.user = user
        self.keys = keys
        self.hardwareAddress = hardwareAddress
        self.userData = userData
    }

    /// A disk image; the same for the same values.
    public var image: [UInt8] { ISOImage(label: Self.label, files: files).bytes }

    /// By name. JSON is YAML, and needs no rules for what has to be quoted.
    var files: [String: [UInt8]] {
        [
            "meta-data": Array(metaData.pretty.utf8),
            "network-config": Array(networkConfiguration.pretty.utf8),
            "user-data": userData ?? [],
            "vendor-data": Array("#cloud-config\n\(vendorData.pretty)".utf8),
        ]
    }

    /// The keys are here and not in a cloud-config: nothing that a team writes can lose them.
    private var metaData: JSONValue {
        [
            "instance-id": .string(instance), "local-hostname": .string(hostname),
            "public-keys": .strings(keys.map(\.line)),
        ]
    }

    /// The card keeps the name that the guest gives it.
    private var networkConfiguration: JSONValue {
        [
            "version": 2,
            "ethernets": [
                "primary": ["match": ["macaddress": .string(hardwareAddress.description)], "dhcp4": .bool(true)]
            ],
        ]
    }

    /// What holds unless user-data says otherwise. `user` adds the default user even to a list of `users` without it.
    private var vendorData: JSONValue {
        ["user": ["name": .string(user)]]
    }
}
