public import JSON
import LinuxSystem
public import NetworkAddress
public import SystemPackage

/// What `wander-net` needs to know: one environment's network.
public struct NetworkConfiguration: Hashable, Sendable {
    /// The environment's name; its machines are `NAME.environment.internal` to each other.
    public var name: String
    public var subnet: IPv4Subnet
    /// Whether machines reach anything beyond the environment.
    public var internet: Bool
    /// Whether machines get IPv6 besides IPv4; nil: if the host has an IPv6 route.
    public var ipv6: Bool?
    /// The largest IP packet between guests and network, in bytes: 1500 to `EthernetFrame.largestPacket`.
    public var mtu: Int
    /// Where the process's locks are; 0700. What it may write to is ``run``.
    public var folder: FilePath
    /// The process ends when no machine has been connected for this many seconds.
    public var idleSeconds: Int
    /// The file that names the host's resolvers.
    public var resolverFile: FilePath = "/etc/resolv.conf"
    public var machines: [MachineAttachment]
    public var forwards: [PortForward]
    /// An inherited descriptor that the process only keeps open: a free lock on it means that the process has ended.
    public var lockDescriptor: Int32?
    /// An inherited descriptor that gets one JSON line, `{"started":true,"failed":[...]}` with the
    /// machines that could not join, or `{"error":{...}}`, and is closed.
    public var statusDescriptor: Int32?

    public static let defaultSubnet = "10.77.0.0/24"

    public init(
        name: String, subnet: IPv4Subnet, internet: Bool = true, ipv6: Bool? = nil,
        mtu: Int = EthernetFrame.largestPacket, folder: FilePath, idleSeconds: Int = 60,
        machines: [MachineAttachment] = [],
        forwards: [PortForward] = []
    ) {
        self.name = name
        self.subnet = subnet
        self.internet = internet
        self.ipv6 = ipv6
        self.mtu = mtu
        self.folder = folder
        self.idleSeconds = idleSeconds
        self.machines = machines
        self.forwards = forwards
    }

    public var controlSocket: FilePath { Self.controlSocket(in: folder) }
    public var leaseFile: FilePath { run.appending("leases.json") }
    /// The only folder that the process may change. Nothing in it tells `wander` what to start.
    public var run: FilePath { Self.run(in: folder) }
    public static func run(in folder: FilePath) -> FilePath { folder.appending("run") }
    public static func controlSocket(in folder: FilePath) -> FilePath {
        let (now, earlier) = (run(in: folder).appending("control.sock"), folder.appending("control.sock"))
        // A process that an earlier wander started, which is served until it ends.
        return FileSystem.isAbsent(now) && !FileSystem.isAbsent(earlier) ? earlier : now
    }
    public static func lockFile(in folder: FilePath) -> FilePath { folder.appending("network.lock") }
    public static func logFile(in folder: FilePath) -> FilePath { run(in: folder).appending("network.log") }
}

extension NetworkConfiguration {
    public init(json: JSONValue) throws {
        let reader = try JSONObjectReader(json, path: "network")
        guard try reader.integer("schema") == 1 else {
            throw JSONError.wrongType("network: schema", expected: "1; this wander cannot read other versions")
        }
        name = try reader.string("name")
        subnet = try reader.parsed("subnet", expected: "a block of addresses such as 10.77.0.0/24, /16 to /29")
        internet = try reader.bool("internet", default: true)
        ipv6 = reader.has("ipv6") ? try reader.bool("ipv6", default: false) : nil
        let sizes = 1500...EthernetFrame.largestPacket
        guard let mtu = Int(exactly: try reader.optionalInteger("mtu") ?? Int64(sizes.upperBound)), sizes.contains(mtu)
        else {
            throw JSONError.wrongType(
                "network: mtu", expected: "a number from \(sizes.lowerBound) to \(sizes.upperBound)")
        }
        self.mtu = mtu
        folder = FilePath(try reader.string("folder"))
        idleSeconds = Int(clamping: max(1, try reader.optionalInteger("idleSeconds") ?? 60))
        if let file = try reader.optionalString("resolverFile") { resolverFile = FilePath(file) }
        machines = try reader.array("machines").map { try MachineAttachment(json: $0) }
        forwards = try reader.array("forwards").map { try PortForward(json: $0) }
        lockDescriptor = try reader.optionalInteger("lockDescriptor").flatMap { Int32(exactly: $0) }
        statusDescriptor = try reader.optionalInteger("statusDescriptor").flatMap { Int32(exactly: $0) }
    }

    public var json: JSONValue {
        var members = [
            JSONMember("schema", 1), JSONMember("name", .string(name)),
            JSONMember("subnet", .string(subnet.description)),
            JSONMember("internet", .bool(internet)),
            JSONMember("mtu", .integer(Int64(mtu))), JSONMember("folder", .string(folder.string)),
            JSONMember("idleSeconds", .integer(Int64(idleSeconds))),
            JSONMember("resolverFile", .string(resolverFile.string)),
            JSONMember("machines", .array(machines.map(\.json))), JSONMember("forwards", .array(forwards.map(\.json))),
        ]
        if let ipv6 { members.append(JSONMember("ipv6", .bool(ipv6))) }
        if let lockDescriptor { members.append(JSONMember("lockDescriptor", .integer(Int64(lockDescriptor)))) }
        if let statusDescriptor { members.append(JSONMember("statusDescriptor", .integer(Int64(statusDescriptor)))) }
        return .object(members)
    }
}
