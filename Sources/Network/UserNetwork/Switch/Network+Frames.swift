import LinuxSystem
import NetworkAddress
import NetworkControl

// What becomes of a frame from a machine. The guest is an adversary: nothing about a frame is believed before it is
// checked.
extension Network {
    func receive(_ frame: RawSpan, from machine: Station) {
        guard let header = EthernetHeader(frame), frame.byteCount <= EthernetHeader.count + mtu + EthernetFrame.slack
        else {
            return machine.count(.malformed)
        }
        guard header.source == machine.mac else { return machine.count(.spoofedMAC) }
        capture(frame, machine)
        switch header.type {
        case EthernetHeader.ipv4: receiveIPv4(frame, header, from: machine)
        case EthernetHeader.arp: receiveARP(frame, from: machine)
        case EthernetHeader.ipv6: receiveIPv6(frame, header, from: machine)
        default: machine.count(.unknownProtocol)
        }
    }

    /// Answers for everybody: no guest's ARP packet reaches another guest, so none can lie to it.
    private func receiveARP(_ frame: RawSpan, from machine: Station) {
        guard frame.uint16(14) == 1, frame.uint16(16) == EthernetHeader.ipv4, frame.uint16(18) == 0x0604,
            let operation = frame.uint16(20), let senderMAC = frame.mac(22), let sender = frame.address(28),
            let target = frame.address(38)
        else { return machine.count(.malformed) }
        guard senderMAC == machine.mac, sender == machine.address || sender == .unspecified else {
            return machine.count(.spoofedAddress)
        }
        machine.noteARP(isAnnouncement: target == machine.address, at: now)
        guard operation == 1, target != machine.address else { return }
        guard let owner = station(at: target) else { return machine.count(.noRecipient) }
        let reply = FrameWriter.arp(
            operation: 2, sender: owner, target: Endpoint(mac: machine.mac, address: sender), destination: machine.mac)
        send(reply, to: machine)
    }

    /// The gateway or a connected machine.
    private func station(at address: IPv4Address) -> Endpoint? {
        if address == gateway.address { return gateway }
        return machines.first { $0.address == address && $0.link != nil }?.endpoint
    }

    private func receiveIPv4(_ frame: RawSpan, _ ethernet: EthernetHeader, from machine: Station) {
        guard let packet = IPv4Header(frame) else { return machine.count(.malformed) }
        if packet.transport == IPv4Header.udp, !packet.isFragment, let udp = UDPHeader(frame, packet),
            udp.destination == 67, udp.source == 68
        {
            return receiveDHCP(frame, udp, packet, from: machine)
        }
        guard packet.source == machine.address else { return machine.count(.spoofedAddress) }
        // It may have had its address from the process before this one.
        machine.leased = true
        if ethernet.destination == gateway.mac { return receiveForGateway(frame, packet, from: machine) }
        guard !servesDHCP(frame, packet) else { return machine.count(.notAllowed) }
        if ethernet.destination.isMulticast { return spread(frame, packet, from: machine) }
        forward(frame, to: ethernet.destination, from: machine)
    }

    /// No machine plays the DHCP server, to whomever it answers: the ports are in a packet's first piece.
    private func servesDHCP(_ frame: RawSpan, _ packet: IPv4Header) -> Bool {
        guard packet.transport == IPv4Header.udp, packet.isFirst else { return false }
        return frame.uint16(packet.payloadOffset) == 67 || frame.uint16(packet.payloadOffset + 2) == 68
    }

    /// Switches a frame to another machine.
    func forward(_ frame: RawSpan, to destination: MACAddress, from machine: Station) {
        guard let other = byMAC[destination], other !== machine, let link = other.link else {
            return machine.count(.noRecipient)
        }
        let sender = FrameQueue.Sender(machine)
        send(frame, to: other, from: sender)
        // Whoever fills another's queue waits until it is empty again.
        if link.isCongested(for: sender) { machine.link?.pause(for: link, as: sender) }
    }

    /// Copies a broadcast to every other machine.
    func spread(_ frame: RawSpan, _ packet: IPv4Header?, from machine: Station) {
        let datagram = packet.flatMap { $0.transport == IPv4Header.udp ? $0 : nil }
        if let datagram, !datagram.isFragment, UDPHeader(frame, datagram) == nil { return machine.count(.notAllowed) }
        guard machine.broadcasts.take(at: now.nanoseconds) else { return machine.count(.excess) }
        if let datagram, datagram.isFragment, let reason = machine.pieces.refuses(frame, datagram, at: now) {
            return machine.count(reason)
        }
        let sender = FrameQueue.Sender(machine)
        machine.spend(machines.count)
        for other in machines where other !== machine && other.link != nil { send(frame, to: other, from: sender) }
    }

    private func receiveForGateway(_ frame: RawSpan, _ packet: IPv4Header, from machine: Station) {
        guard packet.destination != gateway.address else { return receiveForHost(frame, packet, from: machine) }
        guard isOutside(packet.destination) else { return machine.count(.noRecipient) }
        guard machine.internet else { return reject(frame, packet, from: machine) }
        pass(frame, packet, from: machine)
    }

    /// Whether an address is one that a router may pass a packet on to. It keeps the host's loopback interface, which
    /// also answers to 0.0.0.0, out of reach, and link-local addresses (RFC 3927, section 2.7), such as a cloud's
    /// metadata server.
    private func isOutside(_ address: IPv4Address) -> Bool {
        switch address.rawValue >> 24 {
        case 0, 127, 224...255: false
        case 169 where address.rawValue >> 16 & 0xff == 254: false
        default: !configuration.subnet.contains(address)
        }
    }

    /// For the gateway's own address: its services, the host's connections, and `host.internal`.
    private func receiveForHost(_ frame: RawSpan, _ packet: IPv4Header, from machine: Station) {
        switch packet.transport {
        case IPv4Header.tcp where !packet.isFragment:
            let start = packet.payloadOffset
            guard let (header, count) = TCPHeader.parse(frame, at: start, count: packet.payloadCount) else {
                return machine.count(.malformed)
            }
            if let connection = machine.connections[header.destination], connection.remotePort == header.source {
                guard isIntact(frame, packet) else { return machine.count(.malformed) }
                let payload = frame.extracting(start + count..<start + packet.payloadCount)
                return connection.receive(header, payload: payload)
            }
            if header.destination == 53 {
                guard isIntact(frame, packet) else { return machine.count(.malformed) }
                let payload = frame.extracting(start + count..<start + packet.payloadCount)
                return receiveDNS(header, payload: payload, from: machine)
            }
            // Whatever opens nothing is of a connection that has ended: it is answered where those are.
            let opens = header.flags.contains(.syn) && !header.flags.contains(.ack)
            guard !opens || mayReachHost(header.destination, .tcp, from: machine) else {
                return reject(frame, packet, from: machine)
            }
        case IPv4Header.udp where !packet.isFragment:
            guard let udp = UDPHeader(frame, packet) else { return machine.count(.malformed) }
            if let flow = machine.flows[udp.destination], udp.source == flow.forward.guestPort {
                return flow.receive(
                    frame.extracting(udp.payloadOffset..<udp.payloadOffset + udp.payloadCount), port: udp.destination)
            }
            if udp.destination == 53 { return receiveDNS(frame, udp, packet, from: machine) }
            guard mayReachHost(udp.destination, .udp, from: machine) else {
                return reject(frame, packet, from: machine)
            }
        default: break
        }
        pass(frame, packet, from: machine)
    }

    /// Whether the sum over a TCP segment is right.
    func isIntact(_ frame: RawSpan, _ packet: IPv4Header) -> Bool {
        var checksum = FrameWriter.pseudoHeader(
            from: packet.source, to: packet.destination, transport: packet.transport, count: packet.payloadCount)
        checksum.add(frame.extracting(packet.payloadOffset..<packet.payloadOffset + packet.payloadCount))
        return checksum.value == 0
    }

    /// Gives a packet to libslirp, within what a machine may use of it.
    private func pass(_ frame: RawSpan, _ packet: IPv4Header, from machine: Station) {
        guard let nat = machine.nat else { return }
        if packet.isFragment {
            guard let whole = machine.reassembler.add(frame, packet, at: now) else { return }
            let frame = unsafe whole.span.bytes
            guard let packet = IPv4Header(frame) else { return machine.count(.malformed) }
            // Back to where a whole packet would have gone: it may be for a service of the gateway.
            return receiveForGateway(frame, packet, from: machine)
        }
        guard PacketInspection.accepts(frame, packet) else { return machine.count(.malformed) }
        if packet.transport == IPv4Header.tcp { return passConnection(frame, packet, from: machine) }
        let port = packet.transport == IPv4Header.udp ? frame.uint16(packet.payloadOffset) : nil
        guard mayOpenFlow(port.map { .v4($0) }, machine) else { return machine.count(.excess) }
        nat.input(frame)
    }

    /// Tells a machine that it may not go there (ICMP type 3, code 13), so that its programs fail at once.
    private func reject(_ frame: RawSpan, _ packet: IPv4Header, from machine: Station) {
        machine.count(.notAllowed)
        guard !packet.isFragment, packet.transport != IPv4Header.icmp, machine.rejections.take(at: now.nanoseconds)
        else {
            return
        }
        let start = EthernetHeader.count
        // The offending packet's header and the eight bytes behind it (RFC 792).
        let quoted = frame.copy(
            from: start, count: min(packet.payloadOffset - start + 8, frame.byteCount - start))
        sendUnreachable(code: 13, quoting: quoted, to: machine)
    }

    /// Tells a machine that a packet did not get there (ICMP type 3).
    func sendUnreachable(code: UInt8, quoting quoted: [UInt8], to machine: Station) {
        var writer = FrameWriter(capacity: 128)
        writer.appendEthernet(from: gateway.mac, to: machine.mac, type: EthernetHeader.ipv4)
        writer.appendIPv4(
            from: gateway.address, to: machine.address, transport: IPv4Header.icmp, payloadCount: 8 + quoted.count)
        writer.append(UInt16(0x0300) | UInt16(code))
        writer.append(UInt16(0))
        writer.append(UInt32(0))
        writer.append(quoted)
        var checksum = InternetChecksum()
        unsafe checksum.add(writer.bytes.span.bytes.extracting(34..<writer.bytes.count))
        writer.replace(at: 36, with: checksum.value)
        send(writer.bytes, to: machine)
    }

    // MARK: Sending

    func send(_ frame: [UInt8], to machine: Station) { unsafe send(frame.span.bytes, to: machine) }

    /// - Parameter sender: Whose frame it is, for the queue in which it may have to wait.
    func send(_ frame: RawSpan, to machine: Station, from sender: FrameQueue.Sender = .network) {
        guard let link = machine.link else { return }
        machine.counters.framesTo &+= 1
        machine.counters.bytesTo &+= UInt64(frame.byteCount)
        capture(frame, machine)
        unsafe link.send(header: frame, payload: UnsafeRawBufferPointer(start: nil, count: 0), from: sender)
    }

    /// Sends a segment of one of the host's connections.
    func send(_ header: TCPHeader, payload: UnsafeRawBufferPointer, to machine: Station) {
        let headers = unsafe FrameWriter.tcp(header, from: gateway, to: machine.endpoint, payload: payload)
        unsafe send(headers, payload: payload, to: machine)
    }

    /// Sends a frame whose payload stands elsewhere.
    func send(_ headers: [UInt8], payload: UnsafeRawBufferPointer, to machine: Station) {
        guard let link = machine.link else { return }
        machine.counters.framesTo &+= 1
        machine.counters.bytesTo &+= UInt64(headers.count + payload.count)
        unsafe capture(headers.span.bytes, payload: payload, machine)
        unsafe link.send(header: headers.span.bytes, payload: payload, from: .network)
    }

    /// A frame from libslirp.
    func fromOutside(_ frame: RawSpan, to machine: Station) {
        // Its ARP is answered from what it was told; guests get theirs from the switch.
        guard frame.uint16(12) != EthernetHeader.arp else { return }
        send(frame, to: machine)
    }
}
