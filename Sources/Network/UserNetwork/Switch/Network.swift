import Glibc
import JSON
import LinuxSystem
import NetworkAddress
public import NetworkControl
import Reporting
import SystemPackage

/// One environment's network: a switch between the machines and, at its gateway address, DHCP, DNS, the way out, and
/// the host's connections to the machines. Everything runs on the thread that calls ``run()``.
public final class Network {
    private(set) var configuration: NetworkConfiguration
    let loop = EventLoop()
    let budget: DescriptorBudget
    let scratch = Scratch()
    var log: Log
    private(set) var machines: [Station] = []
    private(set) var byMAC: [MACAddress: Station] = [:]
    var forwards: [any Forward] = []
    private var leases: LeaseTable
    private(set) var names: NameTable
    var resolvers: ResolverConfiguration
    let ipv6: Bool
    private var scheduled: [GuestConnection] = []
    /// Which machine uses an IPv6 address.
    var owners6 = IPv6AddressTable()
    var control: ConnectionListener?
    var captures: [Capture] = []
    private var random = SystemRandomNumberGenerator()
    /// When the process ends unless a machine connects.
    fileprivate(set) var idleSince: MonotonicClock?

    /// Whether the process may make sockets for added machines; otherwise they must come with the machine.
    public var bindsSockets = true

    /// Called when little has passed for a while after a lot did: the time to give memory back.
    public var whenQuiet: () -> Void = {}

    /// Whether leases are kept in the network's folder.
    private let persistent: Bool

    /// Makes the network with the machines and forwards of `configuration`. It leaves out a machine that cannot join,
    /// so that the others have their network. It keeps a forward whose port is taken, and `status` reports that.
    /// - Throws: What is wrong with a machine, if none can join.
    public convenience init(_ configuration: NetworkConfiguration) throws {
        try self.init(
            configuration, resolvers: ResolverConfiguration(file: configuration.resolverFile), persistent: true)
    }

    init(_ configuration: NetworkConfiguration, resolvers: ResolverConfiguration, persistent: Bool = false) throws {
        self.configuration = configuration
        self.resolvers = resolvers
        self.persistent = persistent
        budget = DescriptorBudget(limit: OpenFileLimit.raise())
        log = Log(
            persistent
                ? try BoundedLog(NetworkConfiguration.logFile(in: configuration.folder), limit: BoundedLog.reportLimit)
                : nil)
        leases = LeaseTable(file: persistent ? configuration.leaseFile : nil, subnet: configuration.subnet)
        names = NameTable(environment: configuration.name, subnet: configuration.subnet)
        ipv6 = configuration.ipv6 ?? Self.hostHasIPv6()
        idleSince = .now
        LibraryMessages.deliver { [weak self] in self?.log.write("libslirp: \($0)") }
        loop.beforeWait = { [unowned self] in endRound() }
        loop.add(IdleTimer(self))
        loop.add(QuietTimer(self))
        let machines = configuration.machines
        let forwards = configuration.forwards
        self.configuration.machines = []
        self.configuration.forwards = []
        for machine in machines {
            do {
                _ = try add(machine)
            } catch {
                let reason = error.inWords
                log.write("\(machine.name): not added: \(reason)")
                failedMachines.append((machine.name, error))
            }
        }
        if self.machines.isEmpty, let failure = failedMachines.first { throw failure.error }
        for forward in forwards {
            do {
                _ = try add(forward)
            } catch {
                failedForwards.append((forward, error.inWords))
            }
        }
    }

    /// Machines of the configuration that could not join, and why.
    public private(set) var failedMachines: [(name: String, error: any Error)] = []

    /// Forwards of the configuration whose port could not be opened, and why.
    var failedForwards: [(forward: PortForward, reason: String)] = []

    var now: MonotonicClock { loop.now }
    var mtu: Int { configuration.mtu }
    var domain: String { "\(configuration.name).internal" }

    /// The gateway as a station: libslirp uses the same address for it.
    var gateway: Endpoint {
        let address = configuration.subnet.gateway
        return Endpoint(mac: MACAddress(rawValue: 0x5255_0000_0000 | UInt64(address.rawValue)), address: address)
    }
    /// libslirp's station for IPv6.
    static let gatewayMAC6 = MACAddress(rawValue: 0x5256_0000_0002)

    func randomSequence() -> UInt32 { random.next() }

    /// Serves until ``stop()`` or until no machine has been connected for the configured time.
    public func run() { loop.run() }
    public func stop() { loop.stop() }

    // MARK: Machines

    func machine(_ name: String) -> Station? { machines.first { $0.name == name } }

    /// - Parameter sockets: nil binds them here, which a confined process cannot.
    func add(_ attachment: MachineAttachment, sockets: MachineSockets? = nil) throws -> Station {
        if let present = machine(attachment.name) {
            let isSame = present.attachment == attachment
            // New ones stand at the same paths.
            if sockets != nil { makeWay(present) } else if isSame { return present }
            if isSame, let sockets {
                try listen(for: present, sockets, areOwn: false)
                return present
            }
            remove(present)
        }
        guard byMAC[attachment.mac] == nil, !attachment.mac.isMulticast, attachment.mac != gateway.mac,
            attachment.mac != Self.gatewayMAC6
        else { throw AttachmentError.unusableMAC(attachment.mac, machine: attachment.name) }
        defer { for note in leases.takeNotes() { log.write(note) } }
        let address = try leases.address(for: attachment, taken: Set(machines.map(\.address)))
        let machine = Station(
            attachment, address: address, internet: attachment.internet ?? configuration.internet, network: self)
        guard bindsSockets || sockets != nil else { throw ControlError.wrongSockets }
        try listen(for: machine, sockets ?? MachineSockets(binding: attachment), areOwn: sockets == nil)
        machines.append(machine)
        byMAC[machine.mac] = machine
        configuration.machines.append(attachment)
        refreshNames()
        return machine
    }

    private func makeWay(_ machine: Station) {
        for source in machine.sources {
            (source as? ConnectionListener)?.makeWay()
            (source as? DatagramPort)?.makeWay()
        }
        machine.sources = []
    }

    /// - Parameter areOwn: Whether the sockets in the file system go when the machine does.
    private func listen(for machine: Station, _ sockets: MachineSockets, areOwn: Bool) throws {
        let attachment = machine.attachment
        guard let monitor = sockets.takeMonitor() else { throw ControlError.wrongSockets }
        let listener: EventSource =
            switch attachment.transport {
            case .stream:
                try ConnectionListener(monitor, removing: areOwn ? attachment.socket : nil) {
                    [unowned self, unowned machine] descriptor in
                    connect(machine, StreamLink(descriptor, receiver: machine, scratch: scratch))
                }
            case .datagram:
                try DatagramPort(
                    monitor, at: attachment.socket, isOwn: areOwn, machine: machine, scratch: scratch)
            }
        var sources = [listener]
        if let access = sockets.takeAccess() {
            do {
                sources.append(
                    try ConnectionListener(access, removing: areOwn ? attachment.access : nil) {
                        [unowned self, unowned machine] descriptor in
                        add(HostConnection(access: descriptor, machine: machine, network: self))
                    })
            } catch {
                listener.finish()
                throw error
            }
        }
        for source in sources { loop.add(source) }
        machine.sources = sources
    }

    func remove(_ machine: Station) {
        if let link = machine.link { disconnect(machine, link, reason: "the machine was removed") }
        for connection in hostConnections where connection.machine === machine { connection.finish() }
        for source in machine.sources { source.finish() }
        budget.close(machine.descriptors)
        forwards.removeAll { forward in
            guard forward.forward.machine == machine.name else { return false }
            forward.finish()
            return true
        }
        failedForwards.removeAll { $0.forward.machine == machine.name }
        configuration.forwards.removeAll { $0.machine == machine.name }
        configuration.machines.removeAll { $0.name == machine.name }
        machines.removeAll { $0 === machine }
        byMAC[machine.mac] = nil
        owners6.forget(machine.name)
        refreshNames()
    }

    private func refreshNames() {
        names = NameTable(environment: configuration.name, subnet: configuration.subnet)
        for machine in machines {
            let all = [machine.name, machine.hostname] + machine.attachment.aliases
            names.insert(machine: all, address: machine.address, domain: domain)
        }
    }

    /// Keeps the list of forwards in step with what is open.
    func noteForward(_ forward: PortForward, present: Bool) {
        configuration.forwards.removeAll { $0 == forward }
        if present { configuration.forwards.append(forward) }
    }

    // MARK: Links

    func connect(_ machine: Station, _ link: FrameLink) {
        // The newest wins: a monitor that reconnects may be seen before its old connection's end is.
        if let old = machine.link { disconnect(machine, old, reason: "the monitor connected again") }
        machine.link = link
        machine.begin()
        loop.add(link)
        let settings = NATEngine.Settings(
            subnet: configuration.subnet, hostLoopback: !machine.hostPorts.isEmpty, ipv6: ipv6, mtu: mtu)
        machine.nat = unsafe NATEngine(settings) { [unowned self, unowned machine] frame in
            fromOutside(unsafe frame.bytes, to: machine)
        } complain: { [unowned self, unowned machine] message in
            log.write("\(machine.name): libslirp: \(message)")
        }
        guard let nat = machine.nat else {
            log.write("\(machine.name): libslirp did not start; the machine has no way out")
            return
        }
        nat.isHeldBack = { [unowned machine] in machine.link?.isCongested(for: .network) ?? true }
        // libslirp would ask for the machine's hardware address otherwise, and drop what waits for the answer.
        let announcement = FrameWriter.arp(
            operation: 1, sender: machine.endpoint,
            target: Endpoint(mac: MACAddress(rawValue: 0), address: machine.address),
            destination: .broadcast)
        unsafe nat.input(announcement.span.bytes)
        loop.add(nat)
        idleSince = nil
        log.write("\(machine.name): connected")
    }

    func disconnect(_ machine: Station, _ link: FrameLink, reason: String) {
        guard machine.link === link else { return }
        link.finish()
        machine.link = nil
        if let nat = machine.nat { loop.remove(nat) }
        machine.nat?.close()
        machine.nat = nil
        for connection in hostConnections where connection.machine === machine { connection.linkLost() }
        for connection in Array(machine.outside.values) { connection.linkLost() }
        for connection in machine.nameConnections.values { connection.finish() }
        log.write("\(machine.name): \(reason)")
        if machines.allSatisfy({ $0.link == nil }) { idleSince = .now }
    }

    /// Ends the network when nobody has needed it for a while.
    private final class IdleTimer: EventSource {
        private unowned let network: Network
        init(_ network: Network) { self.network = network }
        /// How often an idle network looks whether its folder is still there, in milliseconds.
        private static let interval: Int64 = 5_000
        private var nextLook: MonotonicClock?

        override var deadline: MonotonicClock? {
            guard let idleSince = network.idleSince else { return nil }
            let end = idleSince.advanced(byMilliseconds: Int64(network.configuration.idleSeconds) * 1000)
            return min(end, nextLook ?? idleSince.advanced(byMilliseconds: Self.interval))
        }
        override func deadlinePassed(_ now: MonotonicClock) {
            nextLook = now.advanced(byMilliseconds: Self.interval)
            if network.persistent, FileSystem.isAbsent(network.configuration.folder) {
                network.log.write("the environment's folder was removed: ending")
                return network.stop()
            }
            guard let idleSince = network.idleSince,
                now.milliseconds(since: idleSince) >= Int64(network.configuration.idleSeconds) * 1000
            else { return }
            // Somebody waits for a machine that is about to start.
            guard network.hostConnections.isEmpty else {
                network.idleSince = now
                return
            }
            network.log.write("no machine has been connected for \(network.configuration.idleSeconds) s: ending")
            network.stop()
        }
    }

    // MARK: Connections of the host

    private(set) var hostConnections: [HostConnection] = []

    func closeConnections(of forward: any Forward) {
        for connection in hostConnections {
            if case .forward(let origin) = connection.purpose, origin === forward { connection.finish() }
        }
    }

    func add(_ connection: HostConnection) {
        hostConnections.append(connection)
        loop.add(connection)
        connection.start()
    }

    /// Lets the connection send at the end of the round.
    func schedule(_ connection: GuestConnection) {
        guard !connection.isScheduled else { return }
        connection.isScheduled = true
        scheduled.append(connection)
    }

    /// Tells those who wait for a machine's ports what it has shown of itself.
    private func passSigns() {
        for machine in machines {
            guard let sign = machine.sign else { continue }
            machine.sign = nil
            for connection in hostConnections where connection.machine === machine { connection.machineStirred(sign) }
        }
    }

    /// Sends what the round has brought.
    private func endRound() {
        passSigns()
        var blocked: [GuestConnection] = []
        // What one connection's news brings about is sent in the same round: nothing else may wake the loop for it.
        while !scheduled.isEmpty {
            let waiting = scheduled
            scheduled = []
            for connection in waiting {
                connection.isScheduled = false
                if connection.pump() { blocked.append(connection) }
            }
        }
        for connection in blocked { schedule(connection) }
        hostConnections.removeAll(where: \.isFinished)
        for machine in machines {
            machine.link?.flush()
            machine.newFlows = 0
            machine.descriptors.outside = machine.nat?.socketCount ?? 0
        }
    }

    /// Closes every socket file.
    public func close() {
        for machine in machines {
            for source in machine.sources { source.finish() }
            if let link = machine.link { disconnect(machine, link, reason: "the network ends") }
        }
        for forward in forwards { forward.finish() }
        control?.finish()
    }

    /// Whether the host has a route to the IPv6 Internet: no packet is sent to find out.
    private static func hostHasIPv6() -> Bool {
        guard let address = SocketAddress("2001:4860:4860::8888", port: 53) else { return false }
        let raw = socket(AF_INET6, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { return false }
        let descriptor = OwnedDescriptor(owning: raw)
        return unsafe address.withKernelAddress { unsafe Glibc.connect(descriptor.rawValue, $0, $1) } == 0
    }
}
