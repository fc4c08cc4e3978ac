import LinuxSystem
import NetworkControl

// IPv6 between machines and, through libslirp, to the outside. libslirp advertises the prefix and plays the router.
extension Network {
    func receiveIPv6(_ frame: RawSpan, _ ethernet: EthernetHeader, from machine: Machine) {
        let start = EthernetHeader.count
        guard let first = frame.uint8(start), first >> 4 == 6, let length = frame.uint16(start + 4),
            start + 40 + Int(length) <= frame.byteCount, let nextHeader = frame.uint8(start + 6),
            let source = frame.ipv6Address(start + 8), let destination = frame.ipv6Address(start + 24)
        else { return machine.count(.malformed) }
        guard ipv6 else { return machine.count(.unknownProtocol) }
        guard maySend(from: source, machine) else { return machine.count(.spoofedAddress) }
        if nextHeader == 58, !mayAdvertise(frame, machine) { return machine.count(.spoofedAddress) }
        if ethernet.destination == Self.gatewayMAC6 || ethernet.destination == gateway.mac {
            passIPv6(frame, nextHeader, to: destination, from: machine)
        } else if ethernet.destination.isMulticast {
            // libslirp hears the neighbour and router solicitations; other machines hear everything but routers'.
            passIPv6(frame, nextHeader, to: destination, from: machine)
            spread(frame, nil, from: machine)
        } else {
            forward(frame, to: ethernet.destination, from: machine)
        }
    }

    private func passIPv6(_ frame: RawSpan, _ nextHeader: UInt8, to destination: IPv6Address, from machine: Machine) {
        let host = IPv6Address(high: IPv6Address.prefix(of: configuration.subnet), low: 2)
        let allowed =
            if destination == host { configuration.hostLoopback || nextHeader == 58 } else {
                destination.isGlobal && machine.internet
                    || nextHeader == 58 && (destination.isLinkLocal || destination.isMulticast)
            }
        guard allowed else { return machine.count(.notAllowed) }
        guard let nat = machine.nat else { return }
        guard PacketInspection.acceptsIPv6(frame, nextHeader, count: Int(frame.uint16(18) ?? 0)) else {
            return machine.count(.malformed)
        }
        if nextHeader == 6 { return passConnection6(frame, at: EthernetHeader.count + 40, from: machine) }
        let port = nextHeader == 17 ? frame.uint16(EthernetHeader.count + 40) : nil
        guard let source = frame.ipv6Address(EthernetHeader.count + 8),
            mayOpenFlow(port.map { .v6(source, $0) }, machine)
        else { return machine.count(.excess) }
        nat.input(frame)
    }

    /// Whether an address is the machine's to use: inside the prefix or link-local, and not used by another before.
    private func maySend(from source: IPv6Address, _ machine: Machine) -> Bool {
        if source.isUnspecified { return true }
        guard source.isLinkLocal || source.high == IPv6Address.prefix(of: configuration.subnet) else { return false }
        return claim(source, machine)
    }

    private func claim(_ address: IPv6Address, _ machine: Machine) -> Bool {
        // The router's addresses: libslirp's, in the prefix and link-local.
        if address.low <= 3 { return false }
        if let owner = owners6[address] { return owner == machine.name }
        guard owners6.values.count(where: { $0 == machine.name }) < 16 else { return false }
        owners6[address] = machine.name
        return true
    }

    /// Whether an ICMPv6 message may be sent: no router advertisements (134), redirects (137), and neighbour advertisements
    /// (136) only for addresses of its own.
    private func mayAdvertise(_ frame: RawSpan, _ machine: Machine) -> Bool {
        let start = EthernetHeader.count + 40
        switch frame.uint8(start) {
        case 134, 137: return false
        case 136:
            guard let target = frame.ipv6Address(start + 8) else { return false }
            return maySend(from: target, machine) && !target.isUnspecified
        default: return true
        }
    }
}
