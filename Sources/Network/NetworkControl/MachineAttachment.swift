public import JSON
public import NetworkAddress
public import SystemPackage

/// A machine's place in its environment's network.
public struct MachineAttachment: Hashable, Sendable {
    /// How frames travel between the network and the machine's monitor.
    public enum Framing: String, Sendable, CaseIterable {
        /// A stream socket on which every frame follows its length in four bytes, the highest first.
        /// The monitor connects; QEMU: `-netdev stream,server=off,addr.type=unix,addr.path=SOCKET`.
        case stream
        /// A datagram socket, a frame each; the monitor binds `SOCKET.peer`. It survives a restart of the network with
        /// a monitor that cannot reconnect. QEMU: `-netdev
        /// dgram,local.type=unix,local.path=SOCKET.peer,remote.type=unix, remote.path=SOCKET`.
        case datagram
    }

    /// Unique in the environment; also the machine's name in DNS.
    public var name: String
    /// The only source address that the network accepts from the machine.
    public var mac: MACAddress
    /// nil lets the network choose one, which stays the same as long as its lease file exists.
    public var address: IPv4Address?
    /// The host name that DHCP gives the guest; nil means ``name``.
    public var hostname: String?
    /// More names in DNS.
    public var aliases: [String]
    /// Where the network listens for the machine's monitor.
    public var socket: FilePath
    /// Where the network listens for connections to the guest's TCP ports (``GuestPort``); nil for none.
    public var access: FilePath?
    public var transport: Framing
    /// Whether the guest reaches anything beyond the environment; nil takes the environment's setting.
    public var internet: Bool?
    /// The ports of the host's loopback interface that the guest reaches, at `host.internal`; none without
    /// ``internet``.
    public var hostPorts: [HostPorts]

    public init(
        name: String, mac: MACAddress, address: IPv4Address? = nil, hostname: String? = nil, aliases: [String] = [],
        socket: FilePath, access: FilePath? = nil, transport: Framing = .stream, internet: Bool? = nil,
        hostPorts: [HostPorts] = []
    ) {
        self.name = name
        self.mac = mac
        self.address = address
        self.hostname = hostname
        self.aliases = aliases
        self.socket = socket
        self.access = access
        self.transport = transport
        self.internet = internet
        self.hostPorts = hostPorts
    }
}

extension MachineAttachment {
    public init(json: JSONValue) throws {
        let reader = try JSONObjectReader(json, path: "machine")
        name = try reader.string("name")
        mac = try reader.parsed("mac", expected: "an Ethernet address such as 52:54:00:12:34:56")
        address = try reader.optionallyParsed("address", expected: "an IPv4 address")
        hostname = try reader.optionalString("hostname")
        aliases = try reader.array("aliases").compactMap(\.stringValue)
        socket = FilePath(try reader.string("socket"))
        access = try reader.optionalString("access").map { FilePath($0) }
        transport = Framing(rawValue: try reader.optionalString("transport") ?? "stream") ?? .stream
        internet = reader.has("internet") ? try reader.bool("internet", default: true) : nil
        hostPorts = try reader.array("hostPorts").map { entry in
            guard let ports = entry.stringValue.flatMap({ HostPorts($0) }) else {
                throw JSONError.wrongType(
                    "machine: hostPorts", expected: "ports such as 5432, 8000-8010, 53/udp, or all")
            }
            return ports
        }
    }

    public var json: JSONValue {
        var members = [
            JSONMember("name", .string(name)), JSONMember("mac", .string(mac.description)),
            JSONMember("socket", .string(socket.string)), JSONMember("transport", .string(transport.rawValue)),
            JSONMember("aliases", .strings(aliases)),
        ]
        if let address { members.append(JSONMember("address", .string(address.description))) }
        if let hostname { members.append(JSONMember("hostname", .string(hostname))) }
        if let access { members.append(JSONMember("access", .string(access.string))) }
        if let internet { members.append(JSONMember("internet", .bool(internet))) }
        if !hostPorts.isEmpty { members.append(JSONMember("hostPorts", .strings(hostPorts.map(\.description)))) }
        return .object(members)
    }
}

extension JSONObjectReader {
    func parsed<Value: LosslessStringConvertible>(_ member: String, expected: String) throws(JSONError) -> Value {
        guard let value = Value(try string(member)) else { throw .wrongType("\(path): \(member)", expected: expected) }
        return value
    }
    func optionallyParsed<Value: LosslessStringConvertible>(
        _ member: String, expected: String
    ) throws(JSONError) -> Value? {
        has(member) ? try parsed(member, expected: expected) as Value : nil
    }
}
