import CLinux
import Glibc
import LinuxSystem
import NetworkControl
import SystemPackage

/// A TCP port of the host that leads to one of a guest.
///
/// A client is connected to the guest when it comes. If nobody listens there, its connection is reset as soon as the guest
/// says so; if the guest is silent (it boots), it is held for ``HostConnection/dialLimit`` and then reset.
final class TCPForward: EventSource, Forward {
    /// Clients at the same time.
    static let connectionLimit = 256

    let requested: PortForward
    private(set) var forward: PortForward
    var guestState = GuestState.unknown
    private(set) var connections = 0
    private var retry: MonotonicClock?
    private var descriptor: HeldDescriptor?
    private unowned let network: Network
    private unowned let machine: Machine

    init(_ forward: PortForward, machine: Machine, network: Network) throws {
        guard let address = SocketAddress(forward.bind, port: forward.hostPort) else {
            throw ForwardError.invalidAddress(forward.bind)
        }
        do {
            let listener = HeldDescriptor(try address.bind(stream: true))
            descriptor = listener
            requested = forward
            self.forward = forward
            self.forward.hostPort = SocketAddress.port(of: listener.rawValue)
        } catch { throw ForwardError.cannotListen(forward, error.errno) }
        self.machine = machine
        self.network = network
    }

    override var rawDescriptor: CInt { descriptor?.rawValue ?? -1 }
    override var interest: Int16 { connections < Self.connectionLimit && retry == nil ? Int16(POLLIN) : 0 }
    override var deadline: MonotonicClock? { retry }
    override func deadlinePassed(_ now: MonotonicClock) { retry = nil }

    override func ready(_ events: Int16) {
        guard let descriptor else { return }
        for _ in 0..<8 where connections < Self.connectionLimit {
            let flags = CInt(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
            let raw = linux_accept4(descriptor.rawValue, flags)
            guard raw >= 0 else {
                // No descriptors are left: the connection stays ready, so look again later rather than at once.
                if raw != -Int(EAGAIN), raw != -Int(EINTR), raw != -Int(ECONNABORTED) {
                    retry = network.now.advanced(byMilliseconds: ConnectionListener.pause)
                }
                return
            }
            let client = OwnedDescriptor(owning: CInt(raw))
            var one: CInt = 1
            _ = unsafe setsockopt(
                client.rawValue, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
            connections += 1
            network.add(HostConnection(forward: self, descriptor: client, machine: machine, network: network))
        }
    }

    override func finish() {
        super.finish()
        // Now: its connections may keep this object for a while.
        descriptor = nil
    }

    func connectionEnded() { connections -= 1 }
}
