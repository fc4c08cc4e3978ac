import NetworkAddress
import NetworkControl

// Ports of the host that lead to machines.
extension Network {
    /// Opens a port of the host; the same forward again changes nothing.
    /// - Returns: The host's port.
    func add(_ forward: PortForward) throws -> UInt16 {
        if let present = forwards.first(where: { $0.requested == forward }) { return present.forward.hostPort }
        guard let machine = machine(forward.machine) else { throw ForwardError.unknownMachine(forward.machine) }
        let source: any Forward =
            switch forward.transport {
            case .tcp: try TCPForward(forward, machine: machine, network: self)
            case .udp: try UDPForward(forward, machine: machine, network: self)
            }
        forwards.append(source)
        loop.add(source)
        for socket in source.sockets { loop.add(socket) }
        failedForwards.removeAll { $0.forward == forward }
        noteForward(forward, present: true)
        return source.forward.hostPort
    }

    /// Closes a port of the host and every connection through it.
    func remove(_ forward: PortForward) {
        forwards.removeAll { source in
            guard source.requested == forward || source.forward == forward else { return false }
            source.finish()
            closeConnections(of: source)
            noteForward(source.requested, present: false)
            return true
        }
        failedForwards.removeAll { $0.forward == forward }
        noteForward(forward, present: false)
    }
}
