public import JSON
public import NetworkAddress

/// What a running network reports about itself.
public struct NetworkStatus: Hashable, Sendable {
    public struct Machine: Hashable, Sendable {
        public var name: String
        public var mac: MACAddress
        public var address: IPv4Address
        /// Whether its monitor is connected.
        public var connected: Bool
        /// Whether the guest has taken its address by DHCP, or used it, since its monitor connected.
        public var leased: Bool
    }
    public struct Forward: Hashable, Sendable {
        /// The forward, with the port of the host that is really in use.
        public var forward: PortForward
        /// Why the port is not open on the host; nil if it is.
        public var failure: String?
        public var connections: Int
        /// How the guest answered last: `unknown`, `open`, `refused` or `silent`.
        public var guestPort: String
    }

    /// The process that serves the network.
    public var processIdentifier: Int32?
    public var name: String
    public var subnet: IPv4Subnet
    public var machines: [Machine]
    public var forwards: [Forward]
    /// The whole document as it was sent, with counters and whatever a newer process may add.
    public var json: JSONValue

    public func machine(_ name: String) -> Machine? { machines.first { $0.name == name } }

    public init(json: JSONValue) throws {
        let reader = try JSONObjectReader(json, path: "status")
        processIdentifier = try reader.optionalInteger("process").flatMap { Int32(exactly: $0) }
        name = try reader.string("name")
        subnet = try reader.parsed("subnet", expected: "a block of addresses")
        machines = try reader.array("machines").map { entry in
            let machine = try JSONObjectReader(entry, path: "machine")
            return Machine(
                name: try machine.string("name"), mac: try machine.parsed("mac", expected: "an Ethernet address"),
                address: try machine.parsed("address", expected: "an IPv4 address"),
                connected: try machine.bool("connected", default: false),
                leased: try machine.bool("leased", default: false))
        }
        forwards = try reader.array("forwards").map { entry in
            let reader = try JSONObjectReader(entry, path: "forward")
            return Forward(
                forward: try PortForward(json: entry), failure: try reader.optionalString("failure"),
                connections: Int(clamping: try reader.optionalInteger("connections") ?? 0),
                guestPort: try reader.optionalString("guestState") ?? "unknown")
        }
        self.json = json
    }
}
