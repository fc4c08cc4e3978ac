import CLinux
import Glibc
import LinuxSystem
import NetworkControl
import SystemPackage

/// A TCP port of the host that leads to one of a guest.
///
/// The network connects each client to the guest at once. If nobody listens there, the client's connection is reset as
/// soon as the guest says so. If the guest is silent (it boots), the connection is held for
/// ``HostConnection/dialLimit`` and then reset; if it only does not answer this client, for
/// ``HostConnection/busyLimit``. Clients for which there is no room wait for a moment, and are then
/// reset too.
final class TCPForward: EventSource, Forward {
    /// How long clients wait for room, in milliseconds.
    static let patience: Int64 = 1_000
    /// Clients of one round, so that a flood leaves time for others.
    private static let batch = 64

    let requested: PortForward
    private(set) var forward: PortForward
    var guestState = GuestState.unknown
    private(set) var connections = 0
    private(set) var sockets: [ForwardSocket] = []
    private unowned let network: Network
    private unowned let machine: Station
    /// Since when there has been no room.
    private var fullSince: MonotonicClock?
    private var isRefusing = false

    init(_ forward: PortForward, machine: Station, network: Network) throws {
        guard let address = SocketAddress(forward.bind, port: forward.hostPort) else {
            throw ForwardError.invalidAddress(forward.bind)
        }
        self.machine = machine
        self.network = network
        requested = forward
        self.forward = forward
        let listener: OwnedDescriptor
        do {
            listener = try address.bind(stream: true)
        } catch { throw ForwardError.cannotListen(forward, error.errno) }
        self.forward.hostPort = SocketAddress.port(of: listener.rawValue)
        super.init()
        add(listener, address.family)
        if let twin = ForwardSocket.twin(of: self.forward, stream: true) { add(twin, AF_INET6) }
    }

    private func add(_ listener: consuming OwnedDescriptor, _ family: CInt) {
        sockets.append(ForwardSocket(listener, family: family) { [unowned self] in accept(from: $0) })
    }

    private func accept(from listener: CInt) -> MonotonicClock? {
        for _ in 0..<Self.batch {
            let hasRoom = machine.descriptors.mayTakeClient || network.makeRoom(for: machine)
            guard hasRoom || haveWaited() else {
                return network.now.advanced(byMilliseconds: ConnectionListener.pause)
            }
            let raw = linux_accept4(listener, CInt(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue))
            guard raw >= 0 else {
                if raw == -Int(EAGAIN) || raw == -Int(EINTR) || raw == -Int(ECONNABORTED) { return nil }
                // The connection stays ready, so look again later rather than at once.
                return network.now.advanced(byMilliseconds: ConnectionListener.pause)
            }
            let client = OwnedDescriptor(owning: CInt(raw))
            guard hasRoom else {
                reset(client)
                continue
            }
            fullSince = nil
            isRefusing = false
            var one: CInt = 1
            let size = socklen_t(MemoryLayout<CInt>.size)
            _ = unsafe setsockopt(client.rawValue, CInt(IPPROTO_TCP), TCP_NODELAY, &one, size)
            _ = unsafe setsockopt(client.rawValue, SOL_SOCKET, SO_OOBINLINE, &one, size)
            connections += 1
            network.add(HostConnection(forward: self, descriptor: client, machine: machine, network: network))
        }
        return nil
    }

    /// Whether clients that find no room have waited for long enough.
    private func haveWaited() -> Bool {
        let since = fullSince ?? network.now
        fullSince = since
        guard network.now.milliseconds(since: since) >= Self.patience else { return false }
        if !isRefusing {
            network.log.write(
                "\(machine.name): port \(forward.hostPort) refuses clients: the machine has \(machine.descriptors.used) "
                    + "connections of all kinds, and the process may have \(network.budget.limit) files open")
        }
        isRefusing = true
        return true
    }

    private func reset(_ client: borrowing OwnedDescriptor) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(
            client.rawValue, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }

    override func finish() {
        super.finish()
        for socket in sockets { socket.finish() }
    }

    func connectionEnded() { connections -= 1 }
}
