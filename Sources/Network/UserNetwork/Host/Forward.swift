import NetworkControl

/// A port of the host that leads to a guest's.
protocol Forward: EventSource {
    /// As it was asked for; its port may be 0.
    var requested: PortForward { get }
    /// With the port that is really in use.
    var forward: PortForward { get }
    var guestState: GuestState { get }
    /// Where it listens.
    var sockets: [ForwardSocket] { get }
    /// Clients at present.
    var connections: Int { get }
}

/// How a guest's port answered last.
enum GuestState: String {
    case unknown, open, refused, silent
}
