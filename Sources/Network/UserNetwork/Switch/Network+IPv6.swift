import LinuxSystem
import NetworkAddress
import NetworkControl

// IPv6 between machines and, through libslirp, to the outside. libslirp advertises the prefix and plays the router.
extension Network {
    func receiveIPv6(_ frame: RawSpan, _ ethernet: EthernetHeader, from machine: Station) {
        guard let packet = IPv6Header(frame) else { return machine.count(.malformed) }
        guard ipv6 else { return machine.count(.unknownProtocol) }
        guard maySend(from: packet.source, machine), mayAdvertise(frame, packet, machine) else {
            return machine.count(.spoofedAddress)
        }
        guard !servesDHCP(frame, packet) else { return machine.count(.notAllowed) }
        if ethernet.destination == Self.gatewayMAC6 || ethernet.destination == gateway.mac {
            passIPv6(frame, packet, from: machine)
        } else if ethernet.destination.isMulticast {
            // libslirp hears the neighbour and router solicitations; other machines hear everything but routers'.
            passIPv6(frame, packet, from: machine)
            spread(frame, nil, from: machine)
        } else {
            forward(frame, to: ethernet.destination, from: machine)
        }
    }

    /// The host itself, libslirp's router: `host.internal`.
    private var hostAddress6: IPv6Address {
        IPv6Address(high: IPv6Address.prefix(of: configuration.subnet), low: 2)
    }

    /// Gives a packet to libslirp, if the machine may send it there.
    private func passIPv6(_ frame: RawSpan, _ packet: IPv6Header, from machine: Station) {
        guard mayPass(frame, packet, from: machine) else { return rejectIPv6(frame, packet, from: machine) }
        guard let nat = machine.nat else { return }
        guard let transport = packet.transport, !packet.hasExtensions,
            PacketInspection.acceptsIPv6(frame, transport, count: packet.payloadCount)
        else { return machine.count(packet.hasExtensions ? .unknownProtocol : .malformed) }
        if transport == IPv6Header.tcp { return passConnection6(frame, at: packet.payloadOffset, from: machine) }
        let port = transport == IPv6Header.udp ? frame.uint16(packet.payloadOffset) : nil
        guard mayOpenFlow(port.map { .v6(packet.source, $0) }, machine) else { return machine.count(.excess) }
        nat.input(frame)
    }

    private func mayPass(_ frame: RawSpan, _ packet: IPv6Header, from machine: Station) -> Bool {
        switch packet.transport {
        case IPv6Header.icmp where frame.uint8(packet.payloadOffset) == 128:
            // libslirp answers for the router alone, and complains of every other echo request.
            return packet.destination == hostAddress6
                || packet.destination == IPv6Address(high: 0xfe80_0000_0000_0000, low: 2)
        case IPv6Header.icmp:
            return packet.destination == hostAddress6 || packet.destination.isLinkLocal
                || packet.destination.isMulticast || packet.destination.isGlobal && machine.internet
        case IPv6Header.tcp where packet.destination == hostAddress6,
            IPv6Header.udp where packet.destination == hostAddress6:
            let transport: Transport = packet.transport == IPv6Header.tcp ? .tcp : .udp
            return mayReachHost(frame.uint16(packet.payloadOffset + 2) ?? 0, transport, from: machine)
        default: return packet.destination.isGlobal && machine.internet
        }
    }

    /// Tells a machine that it may not go there (ICMPv6 type 1, code 1), so that its programs fail at once.
    private func rejectIPv6(_ frame: RawSpan, _ packet: IPv6Header, from machine: Station) {
        machine.count(.notAllowed)
        // No answers to errors, to groups, or to nobody (RFC 4443, section 2.4).
        let isMessage = packet.transport == IPv6Header.icmp && frame.uint8(packet.payloadOffset) != 128
        guard !isMessage, packet.transport != nil, !packet.destination.isMulticast, !packet.source.isUnspecified,
            machine.rejections.take(at: now.nanoseconds)
        else { return }
        let start = EthernetHeader.count
        // As much of the packet as an answer of the smallest MTU, 1280 bytes, holds.
        let quoted = frame.copy(
            from: start, count: min(packet.payloadOffset + packet.payloadCount - start, 1280 - IPv6Header.count - 8))
        send(
            FrameWriter.icmp6(
                type: 1, code: 1, from: (Self.gatewayMAC6, hostAddress6), to: (machine.mac, packet.source), body: quoted
            ), to: machine)
    }

    // MARK: Who is who

    /// Whether an address is the machine's to use: inside the prefix or link-local, and no other's.
    private func maySend(from source: IPv6Address, _ machine: Station) -> Bool {
        if source.isUnspecified { return true }
        return claim(source, machine)
    }

    private func claim(_ address: IPv6Address, _ machine: Station) -> Bool {
        guard address.isLinkLocal || address.high == IPv6Address.prefix(of: configuration.subnet) else { return false }
        // The router's addresses: libslirp's, in the prefix and link-local.
        if address.low <= 3 { return false }
        // What is made of a card's address belongs to the machine with that card, whoever was first.
        if let mac = address.hardwareAddress, let owner = byMAC[mac] { return owner === machine }
        return owners6.claim(address, for: machine.name, at: now)
    }

    /// Whether an ICMPv6 message may be sent: no router advertisements (134), redirects (137), and neighbour
    /// advertisements (136) only for addresses of its own. None of the messages of neighbour discovery (133 to 137) has
    /// reason to come behind an extension header, where others would not look for them (RFC 6980).
    private func mayAdvertise(_ frame: RawSpan, _ packet: IPv6Header, _ machine: Station) -> Bool {
        guard packet.transport == IPv6Header.icmp, let type = frame.uint8(packet.payloadOffset),
            (133...137).contains(type)
        else { return true }
        guard !packet.hasExtensions else { return false }
        switch type {
        case 134, 137: return false
        case 135 where packet.source.isUnspecified:
            // Asks whether anybody has the address that it is about to take: from here on nobody else may say so.
            if let target = frame.ipv6Address(packet.payloadOffset + 8) { _ = claim(target, machine) }
            return true
        case 136:
            guard let target = frame.ipv6Address(packet.payloadOffset + 8) else { return false }
            return claim(target, machine)
        default: return true
        }
    }

    /// No machine plays the DHCP server (RFC 7610).
    private func servesDHCP(_ frame: RawSpan, _ packet: IPv6Header) -> Bool {
        packet.transport == IPv6Header.udp
            && (frame.uint16(packet.payloadOffset) == 547 || frame.uint16(packet.payloadOffset + 2) == 546)
    }
}
