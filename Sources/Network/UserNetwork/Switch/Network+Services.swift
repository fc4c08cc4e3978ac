import LinuxSystem
import NetworkAddress
import NetworkControl

// What the gateway does itself: DHCP and DNS.
extension Network {
    func receiveDHCP(_ frame: RawSpan, _ udp: UDPHeader, _ packet: IPv4Header, from machine: Station) {
        let server = DHCPServer(
            gateway: gateway.address, subnet: configuration.subnet, address: machine.address, mac: machine.mac,
            hostname: machine.hostname, domains: [domain] + resolvers.searchDomains(now), mtu: mtu)
        guard let reply = server.reply(to: frame.copy(from: udp.payloadOffset, count: udp.payloadCount)) else {
            return machine.count(.malformed)
        }
        // A client that still has an address of another network learns that it may not keep it, and nothing else.
        guard packet.source == .unspecified || packet.source == machine.address || reply.refuses else {
            return machine.count(.spoofedAddress)
        }
        if reply.grants {
            machine.leased = true
            machine.sign = .begins
        }
        var target = machine.endpoint
        target.port = 68
        if reply.broadcast { target.address = .broadcast }
        var source = gateway
        source.port = 67
        send(FrameWriter.udp(from: source, to: target, payload: reply.payload), to: machine)
    }

    /// Questions of one machine that the host's resolvers have not answered yet. One more, and the oldest is given up:
    /// a name whose servers are silent must not keep the guest from all others.
    static let queryLimit = 128
    /// No question is longer, in bytes; the answer's size is the resolver's business.
    static let questionLimit = 4096

    func receiveDNS(_ frame: RawSpan, _ udp: UDPHeader, _ packet: IPv4Header, from machine: Station) {
        guard udp.payloadCount <= Self.questionLimit else { return machine.count(.malformed) }
        let port = udp.source
        resolve(frame.copy(from: udp.payloadOffset, count: udp.payloadCount), for: machine, by: .udp) {
            [weak self, weak machine] answer in
            if let self, let machine { sendDNS(answer, to: machine, port: port) }
        }
    }

    /// Answers a question, from what the network itself knows or by the host's resolvers.
    /// - Returns: Whether `reply` was called or will be.
    @discardableResult
    func resolve(
        _ message: [UInt8], for machine: Station, by transport: Transport,
        reply: @escaping ([UInt8]) -> Void
    ) -> Bool {
        guard let question = unsafe DNSQuestion(message.span.bytes) else {
            machine.count(.malformed)
            guard let answer = unsafe DNSQuestion.refusal(of: message.span.bytes) else { return false }
            reply(answer)
            return true
        }
        if let answer = names.answer(to: question) {
            reply(answer)
            return true
        }
        guard machine.internet else {
            // Also keeps a machine without a way out from talking through the resolvers.
            reply(question.answer(.nameError))
            return true
        }
        machine.pendingQueries.removeAll(where: \.isFinished)
        machine.spend(Station.socketWork)
        if machine.pendingQueries.count >= Self.queryLimit || !machine.descriptors.mayOpen {
            machine.count(.excess)
            guard let oldest = machine.pendingQueries.first else {
                reply(question.answer(.serverFailure, authoritative: false))
                return true
            }
            machine.pendingQueries.removeFirst()
            oldest.giveUp()
        }
        let query = ResolverQuery(
            question, message: message, transport, servers: resolvers.current(now), countedBy: machine.descriptors,
            now: now, answered: reply)
        if query.isFinished { return true }
        machine.pendingQueries.append(query)
        loop.add(query)
        return true
    }

    /// A segment for the name server's TCP port.
    func receiveDNS(_ header: TCPHeader, payload: RawSpan, from machine: Station) {
        if let connection = machine.nameConnections[header.source] {
            return connection.receive(header, payload: payload)
        }
        // Of a connection that has ended here, or never was.
        guard header.flags.contains(.syn), !header.flags.contains(.ack) else { return machine.count(.noRecipient) }
        guard machine.nameConnections.count < NameConnection.limit else { return machine.count(.excess) }
        let connection = NameConnection(accepting: header, from: machine, network: self)
        machine.nameConnections[header.source] = connection
        loop.add(connection)
        schedule(connection)
    }

    private func sendDNS(_ answer: [UInt8], to machine: Station, port: UInt16) {
        var source = gateway
        source.port = 53
        var target = machine.endpoint
        target.port = port
        send(FrameWriter.udp(from: source, to: target, payload: Array(answer.prefix(mtu - 28))), to: machine)
    }
}
