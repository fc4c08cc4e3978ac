public import JSON
public import NetworkAddress

/// A port of the host that leads to a port of a machine.
public struct PortForward: Hashable, Sendable {
    public var machine: String
    public var transport: Transport
    /// The host's address to listen on: `127.0.0.1`, `0.0.0.0`, `::1`, ...
    public var bind: String
    /// 0 lets the host choose a free port.
    public var hostPort: UInt16
    public var guestPort: UInt16

    public init(
        machine: String, transport: Transport = .tcp, bind: String = "127.0.0.1", hostPort: UInt16, guestPort: UInt16
    ) {
        self.machine = machine
        self.transport = transport
        self.bind = bind
        self.hostPort = hostPort
        self.guestPort = guestPort
    }
}

extension PortForward {
    public init(json: JSONValue) throws {
        let reader = try JSONObjectReader(json, path: "forward")
        machine = try reader.string("machine")
        let name = try reader.optionalString("protocol") ?? "tcp"
        guard let transport = Transport(rawValue: name) else {
            throw JSONError.wrongType("forward: protocol", expected: "\"tcp\" or \"udp\"")
        }
        self.transport = transport
        bind = try reader.optionalString("bind") ?? "127.0.0.1"
        guard let host = UInt16(exactly: try reader.integer("hostPort")),
            let guest = UInt16(exactly: try reader.integer("guestPort")), guest > 0
        else { throw JSONError.wrongType("forward: port", expected: "a number up to 65535") }
        hostPort = host
        guestPort = guest
    }

    public var json: JSONValue {
        [
            "machine": .string(machine), "protocol": .string(transport.rawValue), "bind": .string(bind),
            "hostPort": .integer(Int64(hostPort)), "guestPort": .integer(Int64(guestPort)),
        ]
    }
}
