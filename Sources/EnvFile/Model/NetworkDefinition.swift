public import NetworkAddress

/// The network that the machines of an environment share.
public struct NetworkDefinition: Hashable, Sendable {
    public var name: String
    /// nil: the network service chooses one.
    public var subnet: IPv4Subnet?
    /// Whether machines reach the world outside.
    public var internet: Bool

    /// The network of environments that declare none.
    public static let standard = NetworkDefinition(name: "nat", subnet: nil, internet: true)
}

/// A machine's place in a network.
public struct NetworkAttachment: Hashable, Sendable {
    public var network: String
    /// A fixed address; nil: one that the network service keeps for the machine.
    public var address: IPv4Address?
}
