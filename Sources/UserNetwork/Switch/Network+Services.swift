import NetworkAddress
import LinuxSystem
import NetworkControl

// What the gateway does itself: DHCP and DNS.
extension Network {
    func receiveDHCP(_ frame: RawSpan, _ udp: UDPHeader, _ packet: IPv4Header, from machine: Machine) {
        guard packet.source == .unspecified || packet.source == machine.address else {
            return machine.count(.spoofedAddress)
        }
        let server = DHCPServer(
            gateway: gateway.address, subnet: configuration.subnet, address: machine.address, mac: machine.mac,
            hostname: machine.hostname, domain: domain, mtu: mtu)
        guard let reply = server.reply(to: frame.copy(from: udp.payloadOffset, count: udp.payloadCount)) else {
            return machine.count(.malformed)
        }
        if reply.grants { machine.leased = true }
        var target = machine.endpoint
        target.port = 68
        if reply.broadcast { target.address = .broadcast }
        var source = gateway
        source.port = 67
        send(FrameWriter.udp(from: source, to: target, payload: reply.payload), to: machine)
    }

    /// Questions of one machine that the host's resolvers have not answered yet; more are ignored.
    static let queryLimit = 128

    func receiveDNS(_ frame: RawSpan, _ udp: UDPHeader, _ packet: IPv4Header, from machine: Machine) {
        // No query needs more; the answer's size is the resolver's business.
        guard udp.payloadCount <= 4096 else { return machine.count(.malformed) }
        let message = frame.copy(from: udp.payloadOffset, count: udp.payloadCount)
        guard let question = unsafe DNSQuestion(message.span.bytes) else { return machine.count(.malformed) }
        let port = udp.source
        if let answer = names.answer(to: question) { return sendDNS(answer, to: machine, port: port) }
        guard machine.internet else {
            // Also keeps a machine without a way out from talking through the resolvers.
            return sendDNS(question.answer(.nameError), to: machine, port: port)
        }
        guard machine.queries < Self.queryLimit else { return machine.count(.excess) }
        machine.queries += 1
        let query = ResolverQuery(
            question, message: message, servers: resolvers.current(now), now: now
        ) { [weak self, weak machine] answer in
            guard let self, let machine else { return }
            machine.queries -= 1
            sendDNS(answer, to: machine, port: port)
        }
        if !query.isFinished { loop.add(query) }
    }

    private func sendDNS(_ answer: [UInt8], to machine: Machine, port: UInt16) {
        var source = gateway
        source.port = 53
        var target = machine.endpoint
        target.port = port
        send(FrameWriter.udp(from: source, to: target, payload: Array(answer.prefix(mtu - 28))), to: machine)
    }
}
