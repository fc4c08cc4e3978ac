import Glibc
import LinuxSystem
import Synchronization

extension NetworkDevice {
    /// Milliseconds between attempts to reach the network again: the first and the longest.
    static let retryDelays = (first: UInt32(50), longest: UInt32(1000))

    /// The peer is gone. The driver sees the cable pulled, and what it sends is dropped, until the peer is back.
    func disconnect() {
        guard linkIsUp.exchange(false, ordering: .acquiringAndReleasing) else { return }
        setLinkStatus(up: false)
        guard let reconnect else { return }
        // The thread lives as long as the network is away. Without it the link stays down.
        let thread = try? Thread(name: "reconnect", stackSize: 128 << 10) { [weak self] in
            var delay = Self.retryDelays.first
            while true {
                usleep(delay * 1000)
                delay = min(delay * 2, Self.retryDelays.longest)
                guard let self else { return }
                guard let socket = reconnect() else { continue }
                if self.replaceSocket(by: socket) { return }
            }
        }
        _ = consume thread  // Never joined: it ends by itself, or with the process.
    }

    /// Puts a new connection where the old one was. Both descriptors keep their numbers, so nobody else need know.
    private func replaceSocket(by socket: consuming OwnedDescriptor) -> Bool {
        for number in [input.rawValue, output.rawValue] {
            guard dup2(socket.rawValue, number) == number else { return false }
        }
        try? input.setInheritable(false)
        try? output.setInheritable(false)
        // Whatever was half way belongs to the old connection.
        receiver.configure { $0.frames.reset() }
        transmitter.configure { $0.frames.reset() }
        linkIsUp.store(true, ordering: .releasing)
        // Reports at once what is ready already.
        guard inputWatch.watch(input.rawValue, for: .readable), outputWatch.watch(output.rawValue, for: .writable)
        else {
            linkIsUp.store(false, ordering: .releasing)
            return false
        }
        setLinkStatus(up: true)
        return true
    }

    private func setLinkStatus(up: Bool) {
        fields.withLock { $0.set(UInt16(up ? 1 : 0), at: Self.statusOffset) }
        signals.withLock { $0 }?.configurationChanged()
    }
}
