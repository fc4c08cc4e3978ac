public import NetworkAddress

/// A port of the host that leads to a port of a machine, as the Wanderfile has it.
public struct PortDefinition: Hashable, Sendable {
    /// What to do when the host's port is taken.
    public enum Conflict: String, Hashable, Sendable, CaseIterable { case next, fail }

    public var name: String?
    /// The address of the host that listens.
    public var bind: IPv4Address
    /// nil: any free port.
    public var hostPort: UInt16?
    public var guestPort: UInt16
    public var transport: Transport
    public var onConflict: Conflict

    /// As a Wanderfile writes it, such as `127.0.0.1:8080:80/tcp`.
    public var text: String {
        "\(bind):\(hostPort.map(String.init) ?? "any"):\(guestPort)/\(transport.rawValue)"
    }
}
