import Glibc
import LinuxSystem
import NetworkAddress
import NetworkControl

// What guests send to the outside and to the host, once it is known that they may.
extension Network {
    /// Connections of one machine that are not open yet; more are refused.
    static let pendingLimit = 1024

    /// A TCP segment over IPv4, whose every length holds.
    func passConnection(_ frame: RawSpan, _ packet: IPv4Header, from machine: Station) {
        let start = packet.payloadOffset
        guard let (header, count) = TCPHeader.parse(frame, at: start, count: packet.payloadCount),
            isIntact(frame, packet)
        else { return machine.count(.malformed) }
        let flow = OutsideFlow(
            guest: .v4(packet.source), guestPort: header.source, remote: .v4(packet.destination),
            remotePort: header.destination)
        let payload = frame.extracting(start + count..<start + packet.payloadCount)
        let isHost = packet.destination == gateway.address
        passConnection(header, payload: payload, flow, from: machine) {
            let address = SocketAddress(isHost ? .loopback : packet.destination, port: header.destination)
            return (address, frame.copy(from: EthernetHeader.count, count: start + 8 - EthernetHeader.count))
        }
    }

    /// The same over IPv6: the TCP header is at `start`, right behind the fixed one.
    func passConnection6(_ frame: RawSpan, at start: Int, from machine: Station) {
        let payloadCount = Int(frame.uint16(18) ?? 0)
        guard let source = frame.ipv6Address(22), let destination = frame.ipv6Address(38),
            let (header, count) = TCPHeader.parse(frame, at: start, count: payloadCount)
        else { return machine.count(.malformed) }
        var checksum = FrameWriter.pseudoHeader(from: source, to: destination, transport: 6, count: payloadCount)
        checksum.add(frame.extracting(start..<start + payloadCount))
        guard checksum.value == 0 else { return machine.count(.malformed) }
        let flow = OutsideFlow(
            guest: .v6(source), guestPort: header.source, remote: .v6(destination), remotePort: header.destination)
        let isHost = destination == IPv6Address(high: IPv6Address.prefix(of: configuration.subnet), low: 2)
        let target = isHost ? IPv6Address(high: 0, low: 1) : destination
        passConnection(
            header, payload: frame.extracting(start + count..<start + payloadCount), flow, from: machine
        ) { (SocketAddress(target, port: header.destination), []) }
    }

    /// - Parameter target: Where a new connection leads, and the beginning of its packet.
    private func passConnection(
        _ header: TCPHeader, payload: RawSpan, _ flow: OutsideFlow, from machine: Station,
        target: () -> (SocketAddress, [UInt8])
    ) {
        if let connection = machine.outside[flow] { return connection.receive(header, payload: payload) }
        guard header.flags.contains(.syn), !header.flags.contains(.ack), !header.flags.contains(.rst) else {
            // Of a connection that has ended here, or of the process before this one.
            return sendReset(answering: header, payload: payload.byteCount, flow, to: machine)
        }
        let (address, quoted) = target()
        guard machine.pendingOutside < Self.pendingLimit || makeRoom(for: machine),
            machine.descriptors.mayOpen || makeRoom(for: machine),
            let socket = address.streamSocket()
        else {
            machine.count(.excess)
            return sendReset(answering: header, payload: payload.byteCount, flow, to: machine)
        }
        machine.spend(Station.socketWork)
        let connection = OutsideConnection(
            flow, knock: header, quoting: quoted, socket: socket, machine: machine, network: self)
        machine.outside[flow] = connection
        loop.add(connection)
        connection.start(address)
    }

    /// Ends the connection of a machine that has waited for the longest time for somebody who may be gone.
    /// - Returns: Whether there was one.
    func makeRoom(for machine: Station) -> Bool {
        // A search costs a look at every connection.
        if let sought = machine.roomSought, now.milliseconds(since: sought) < 100 { return false }
        let candidates: [RelayedConnection] =
            hostConnections.filter { $0.machine === machine } + Array(machine.outside.values)
        let waiting = candidates.compactMap { connection in connection.orphanedSince.map { (connection, $0) } }
        guard let oldest = waiting.min(by: { $0.1 < $1.1 }),
            now.milliseconds(since: oldest.1) >= RelayedConnection.leastSilence
        else {
            machine.roomSought = now
            return false
        }
        oldest.0.breakOff()
        _ = oldest.0.pump()
        oldest.0.finish()
        return true
    }

    /// Whether libslirp may get a packet that makes it open a socket, or that comes from a port for which it has one.
    /// - Parameter port: nil for an echo request, each of which has a socket.
    func mayOpenFlow(_ port: DatagramFlows.Port?, _ machine: Station) -> Bool {
        guard let nat = machine.nat else { return false }
        if let port, machine.datagramFlows.knows(port, at: now) { return true }
        guard nat.socketCount + machine.newFlows < NATEngine.socketLimit, machine.descriptors.mayOpen else {
            return false
        }
        machine.newFlows += 1
        machine.spend(Station.socketWork)
        machine.descriptors.outside += 1
        if let port { machine.datagramFlows.insert(port, at: now) }
        return true
    }

    // MARK: Sending

    /// Sends a segment of a guest's connection to the outside.
    func send(_ header: TCPHeader, payload: UnsafeRawBufferPointer, _ flow: OutsideFlow, to machine: Station) {
        switch (flow.remote, flow.guest) {
        case (.v4(let remote), .v4(let guest)):
            let source = Endpoint(mac: gateway.mac, address: remote)
            let target = Endpoint(mac: machine.mac, address: guest)
            unsafe send(
                FrameWriter.tcp(header, from: source, to: target, payload: payload), payload: payload, to: machine)
        case (.v6(let remote), .v6(let guest)):
            let headers = unsafe FrameWriter.tcp6(
                header, from: (Self.gatewayMAC6, remote), to: (machine.mac, guest), payload: payload)
            unsafe send(headers, payload: payload, to: machine)
        default: break
        }
    }

    /// Answers a segment that belongs to no connection (RFC 9293, section 3.10.7.1).
    func sendReset(answering header: TCPHeader, payload count: Int, _ flow: OutsideFlow, to machine: Station) {
        guard !header.flags.contains(.rst) else { return }
        var reset = TCPHeader(
            source: flow.remotePort, destination: flow.guestPort, sequence: 0, acknowledgement: 0, flags: [.rst],
            window: 0)
        if header.flags.contains(.ack) {
            reset.sequence = header.acknowledgement
        } else {
            let length = UInt32(count) + (header.flags.contains(.syn) ? 1 : 0) + (header.flags.contains(.fin) ? 1 : 0)
            reset.acknowledgement = header.sequence &+ length
            reset.flags = [.rst, .ack]
        }
        unsafe send(reset, payload: UnsafeRawBufferPointer(start: nil, count: 0), flow, to: machine)
    }
}
