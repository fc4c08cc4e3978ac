import LinuxSystem
import NetworkAddress
import NetworkControl

/// A machine of the environment as the network knows it, connected or not.
final class Station: FrameReceiver {
    struct Counters {
        var framesFrom: UInt64 = 0
        var bytesFrom: UInt64 = 0
        var framesTo: UInt64 = 0
        var bytesTo: UInt64 = 0
    }

    private(set) var attachment: MachineAttachment
    let address: IPv4Address
    unowned let network: Network
    /// The connection to its monitor; nil while there is none.
    var link: FrameLink?
    /// Its way out; exists as long as ``link`` does.
    var nat: NATEngine?
    /// Whether it may reach anything beyond the environment.
    let internet: Bool
    /// What it reaches of the host's loopback interface.
    let hostPorts: [HostPorts]
    /// Ports of the host that it asked for in vain, as far as the log names them.
    var refusedHostPorts: Set<HostPorts> = []
    /// More of them are not named.
    static let refusalLimit = 32
    /// Whether the guest has taken its address, or used it, since the monitor connected.
    var leased = false
    var counters = Counters()
    /// A sign of life that those who wait for the guest have not been told of.
    var sign: Sign?
    private var lastARP: MonotonicClock?
    private(set) var drops: [DropReason: UInt64] = [:]
    /// What this machine keeps open on the host: listeners and forwards.
    var sources: [EventSource] = []
    private(set) var connections: [UInt16: HostConnection] = [:]
    /// Its connections to the name server, by its own ports.
    var nameConnections: [UInt16: NameConnection] = [:]
    /// Its connections to the outside and to the host.
    var outside: [OutsideFlow: OutsideConnection] = [:]
    /// Those among them that are not open yet.
    var pendingOutside = 0
    /// What it makes this process keep open.
    let descriptors: DescriptorAccount
    /// UDP ports of the guest that lead outside.
    var datagramFlows = DatagramFlows()
    /// When room was last looked for in vain.
    var roomSought: MonotonicClock?
    /// Questions of its that the host's resolvers have not answered yet.
    var pendingQueries: [ResolverQuery] = []
    var queries: Int { pendingQueries.count { !$0.isFinished } }

    // What a guest may cause, so that it harms only itself.
    var broadcasts = TokenBucket(rate: 1000, burst: 500)
    var rejections = TokenBucket(rate: 50, burst: 50)
    var reassembler = Reassembler()
    var pieces = PieceFilter()
    /// What it has made the network do in its turn, in frames passed on.
    private(set) var work = 0
    /// New connections to the outside that this round may still bring.
    var newFlows = 0

    init(_ attachment: MachineAttachment, address: IPv4Address, internet: Bool, network: Network) {
        self.attachment = attachment
        self.address = address
        self.internet = internet
        // The host has proxies and neighbours of its own: a machine without a way out has none through it.
        hostPorts = internet ? attachment.hostPorts : []
        self.network = network
        descriptors = network.budget.account()
    }

    /// What all its connections may hold each way, in bytes.
    private static let bufferBudget = 64 << 20
    private static let leastBuffer = 16 << 10

    /// What one connection may hold each way, in bytes.
    var bufferLimit: Int {
        let share = Self.bufferBudget / max(1, connections.count + outside.count)
        return min(max(share, Self.leastBuffer), TCPSession.bufferLimit)
    }

    var name: String { attachment.name }
    var mac: MACAddress { attachment.mac }
    var hostname: String { attachment.hostname ?? attachment.name }
    var endpoint: Endpoint { Endpoint(mac: mac, address: address) }

    /// What tells those who wait for a port that they should look more often again.
    enum Sign {
        /// The guest's network is there.
        case speaks
        /// The monitor has connected, or the guest has got its address.
        case begins
    }

    /// How long a guest must have sent no ARP for the next to be news, in milliseconds.
    static let leastARPSilence: Int64 = 5_000

    /// Notes an ARP packet.
    /// - Parameter isAnnouncement: Whether it says or asks whose the machine's own address is, as a guest does that has
    ///   just taken it (RFC 5227).
    func noteARP(isAnnouncement: Bool, at now: MonotonicClock) {
        let isNews = lastARP.map { now.milliseconds(since: $0) >= Self.leastARPSilence } ?? true
        lastARP = now
        if sign == nil, isNews || isAnnouncement { sign = .speaks }
    }

    /// Begins anew with the monitor.
    func begin() {
        leased = false
        lastARP = nil
        sign = .begins
    }

    func count(_ reason: DropReason) { drops[reason, default: 0] &+= 1 }

    /// What it may have done in one round, so that its floods leave time for others.
    static let turn = 64
    /// What a socket costs that is opened for it.
    static let socketWork = 8

    func beginTurn() { work = 0 }
    func spend(_ work: Int) { self.work += work }
    var turnIsOver: Bool { work >= Self.turn }

    func link(_ link: FrameLink, received frame: RawSpan) {
        spend(1)
        counters.framesFrom &+= 1
        counters.bytesFrom &+= UInt64(frame.byteCount)
        network.receive(frame, from: self)
    }

    func linkClosed(_ link: FrameLink, reason: String) { network.disconnect(self, link, reason: reason) }

    /// The ports that connections from the host use on the gateway's address.
    private static let ports: ClosedRange<UInt16> = 49152...65535
    private var lastPort = UInt16.random(in: ports)

    /// A port of the gateway that no connection to this machine uses.
    func claimPort(for connection: HostConnection) -> UInt16? {
        for _ in 0..<1024 {
            lastPort = lastPort == Self.ports.upperBound ? Self.ports.lowerBound : lastPort + 1
            if connections[lastPort] == nil {
                connections[lastPort] = connection
                return lastPort
            }
        }
        return nil
    }

    /// UDP's ports of the gateway, and the forwards that answers to them belong to.
    var flows: [UInt16: UDPForward] = [:]

    func claimFlow(for forward: UDPForward) -> UInt16? {
        for _ in 0..<1024 {
            lastPort = lastPort == Self.ports.upperBound ? Self.ports.lowerBound : lastPort + 1
            if flows[lastPort] == nil {
                flows[lastPort] = forward
                return lastPort
            }
        }
        return nil
    }

    func releasePort(_ port: UInt16) { connections[port] = nil }
}
