import Glibc
import LinuxSystem
import NetworkControl
import SystemPackage

/// A UDP port of the host that leads to one of a guest. Each client gets a port of the gateway of its own, so that the
/// guest's answers find their way back.
final class UDPForward: EventSource, Forward {
    private struct Client {
        var port: UInt16
        var used: MonotonicClock
    }
    static let clientLimit = 256
    /// How long a silent client is remembered, in milliseconds.
    static let idleLimit: Int64 = 120_000
    /// Datagrams of one round, so that a flood leaves time for others.
    static let batch = 64

    let requested: PortForward
    private(set) var forward: PortForward
    private(set) var sockets: [ForwardSocket] = []
    private unowned let network: Network
    private unowned let machine: Station
    private var clients: [SocketAddress: Client] = [:]
    private var addresses: [UInt16: SocketAddress] = [:]
    private(set) var guestState = GuestState.unknown
    private var identification = UInt16.random(in: .min ... .max)

    init(_ forward: PortForward, machine: Station, network: Network) throws {
        guard let address = SocketAddress(forward.bind, port: forward.hostPort) else {
            throw ForwardError.invalidAddress(forward.bind)
        }
        requested = forward
        self.forward = forward
        self.machine = machine
        self.network = network
        let socket: OwnedDescriptor
        do {
            socket = try address.bind(stream: false)
        } catch { throw ForwardError.cannotListen(forward, error.errno) }
        self.forward.hostPort = SocketAddress.port(of: socket.rawValue)
        super.init()
        add(socket, address.family)
        if let twin = ForwardSocket.twin(of: self.forward, stream: false) { add(twin, AF_INET6) }
    }

    private func add(_ socket: consuming OwnedDescriptor, _ family: CInt) {
        sockets.append(
            ForwardSocket(socket, family: family) { [unowned self] in
                receive(from: $0)
                return nil
            })
    }

    var connections: Int { clients.count }
    override var deadline: MonotonicClock? {
        clients.isEmpty ? nil : clients.values.map(\.used).min()?.advanced(byMilliseconds: Self.idleLimit)
    }

    override func deadlinePassed(_ now: MonotonicClock) {
        for (address, client) in clients where now.milliseconds(since: client.used) >= Self.idleLimit {
            forget(address, client)
        }
    }

    private func forget(_ address: SocketAddress, _ client: Client) {
        clients[address] = nil
        addresses[client.port] = nil
        machine.flows[client.port] = nil
    }

    override func finish() {
        super.finish()
        for socket in sockets { socket.finish() }
        for (address, client) in clients { forget(address, client) }
    }

    private func receive(from socket: CInt) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        for _ in 0..<Self.batch {
            var storage = sockaddr_in6()
            var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            let count = unsafe buffer.withUnsafeMutableBytes { buffer in
                unsafe withUnsafeMutablePointer(to: &storage) {
                    unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        unsafe recvfrom(socket, buffer.baseAddress, buffer.count, 0, $0, &length)
                    }
                }
            }
            guard count >= 0 else { return }
            let address = SocketAddress(
                bytes: unsafe withUnsafeBytes(of: &storage) { unsafe Array($0.prefix(Int(length))) })
            // What finds the guest busy is lost, as on any network.
            guard let link = machine.link, !link.isCongested(for: .network), let port = port(for: address) else {
                continue
            }
            var source = network.gateway
            source.port = port
            var target = machine.endpoint
            target.port = forward.guestPort
            identification &+= 1
            let frames = FrameWriter.udp(
                from: source, to: target, payload: Array(buffer[..<count]), mtu: network.mtu,
                identification: identification)
            for frame in frames { network.send(frame, to: machine) }
        }
    }

    /// The gateway's port for a client.
    private func port(for address: SocketAddress) -> UInt16? {
        if let known = clients[address] {
            clients[address]?.used = network.now
            return known.port
        }
        if clients.count >= Self.clientLimit, let oldest = clients.min(by: { $0.value.used < $1.value.used }) {
            forget(oldest.key, oldest.value)
        }
        guard let port = machine.claimFlow(for: self) else { return nil }
        clients[address] = Client(port: port, used: network.now)
        addresses[port] = address
        return port
    }

    /// Takes an answer from the guest.
    func receive(_ payload: RawSpan, port: UInt16) {
        guard let address = addresses[port], let socket = sockets.first(where: { $0.family == address.family }) else {
            return
        }
        guestState = .open
        clients[address]?.used = network.now
        _ = unsafe payload.withUnsafeBytes { payload in
            unsafe address.withKernelAddress {
                unsafe sendto(socket.rawDescriptor, payload.baseAddress, payload.count, 0, $0, $1)
            }
        }
    }
}
