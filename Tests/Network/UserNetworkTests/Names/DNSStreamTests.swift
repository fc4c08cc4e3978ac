import Glibc
import LinuxSystem
import NetworkControl
import Testing

@testable import UserNetwork

@Suite struct DNSStreamTests {
    private func code(_ message: [UInt8]) -> UInt8 { message.count > 3 ? message[3] & 0x0f : 0xff }

    @Test("several questions on one connection, in pieces, and both sides' closing") func names() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        _ = try test.peer("db", 2)
        let guest = GuestResolver(web)
        guest.ask(Wire.dnsQuery("db.shop.internal"))
        guest.ask(Wire.dnsQuery("nobody.shop.internal"))
        let last = Wire.dnsQuery("web")
        let framed = Wire.be16(last.count) + last
        let (head, tail) = (Array(framed[..<1]), Array(framed[1...]))
        guest.session.sendQueue.append(head.span.bytes)
        try test.turn {
            guest.work()
            return guest.answers.count == 2
        }
        guest.session.sendQueue.append(tail.span.bytes)
        try test.turn {
            guest.work()
            return guest.answers.count == 3
        }
        #expect(guest.answers.map(code) == [0, 3, 0])
        #expect(Array(guest.answers[0].suffix(6)) == [0, 4] + Wire.address("10.77.0.12"))
        #expect(Array(guest.answers[2].suffix(6)) == [0, 4] + Wire.address("10.77.0.11"))
        #expect(web.machine.nameConnections.count == 1)
        guest.session.close()
        try test.turn {
            guest.work()
            return guest.session.state == .finished && web.machine.nameConnections.isEmpty
        }
    }

    @Test("a question that only the host's resolver can answer goes there by TCP, and an answer of 60 KiB comes back")
    func forwarded() throws {
        let address = try #require(SocketAddress("127.0.0.1", port: 0))
        let server = try address.bind(stream: true)
        let port = SocketAddress.port(of: server.rawValue)
        let test = try TestNetwork(resolvers: [try #require(SocketAddress("127.0.0.1", port: port))])
        let web = try test.peer("web", 1)
        let guest = GuestResolver(web)
        guest.ask(Wire.dnsQuery("example.org"))
        var client: HostClient?
        try test.turn {
            guest.work()
            if client == nil {
                let raw = accept(server.rawValue, nil, nil)
                if raw >= 0 { client = HostClient(raw) }
            }
            client?.receive()
            return (client?.received.count ?? 0) > 2
        }
        let query = try #require(client).received
        #expect(Int(query[0]) << 8 | Int(query[1]) == query.count - 2)
        #expect(Array(query[4...]) == Array(Wire.dnsQuery("example.org")[2...]))
        var answer = Array(query[2..<4]) + [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + query[14...]
        answer += [UInt8](repeating: 7, count: 60_000)
        var rest = (Wire.be16(answer.count) + answer)[...]
        try test.turn {
            if !rest.isEmpty { rest = rest.dropFirst(client?.send(Array(rest.prefix(9_000))) ?? 0) }
            guest.work()
            return guest.answers.count == 1
        }
        #expect(Array(guest.answers[0][..<2]) == [0xbe, 0xef])
        #expect(Array(guest.answers[0][2...]) == Array(answer[2...]))
        #expect(web.machine.queries == 0)
    }

    @Test("a resolver that refuses TCP, hangs up or answers something else makes the question fail") func badResolver()
        throws
    {
        for behaviour in 0..<3 {
            let address = try #require(SocketAddress("127.0.0.1", port: 0))
            // Nobody listens for TCP at the first one's port.
            let server = try address.bind(stream: behaviour > 0)
            let port = SocketAddress.port(of: server.rawValue)
            let test = try TestNetwork(resolvers: [try #require(SocketAddress("127.0.0.1", port: port))])
            let guest = GuestResolver(try test.peer("web", 1))
            guest.ask(Wire.dnsQuery("example.org"))
            try test.turn {
                guest.work()
                if behaviour > 0 {
                    let raw = accept(server.rawValue, nil, nil)
                    if raw >= 0 {
                        let wrong = Wire.be16(29) + Wire.dnsQuery("example.org")
                        if behaviour == 2 { _ = write(raw, wrong, wrong.count) }
                        close(raw)
                    }
                }
                return guest.answers.count == 1
            }
            #expect(code(guest.answers[0]) == 2)
        }
    }

    @Test("without the Internet no question leaves the environment") func withoutInternet() throws {
        let test = try TestNetwork(internet: false)
        let guest = GuestResolver(try test.peer("web", 1))
        guest.ask(Wire.dnsQuery("secret.example.org"))
        guest.ask(Wire.dnsQuery("host.internal"))
        try test.turn {
            guest.work()
            return guest.answers.count == 2
        }
        #expect(guest.answers.map(code) == [3, 0])
    }

    @Test("nonsense ends its connection; too many connections are not heard; a lost monitor leaves none") func hostile()
        throws
    {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        for nonsense in [[0xff, 0xff, 1], [0, 3, 1, 2, 3], [0, 0]] as [[UInt8]] {
            let guest = GuestResolver(web)
            guest.session.sendQueue.append(nonsense.span.bytes)
            try test.turn {
                guest.work()
                return guest.session.state == .failed(.reset) && web.machine.nameConnections.isEmpty
            }
        }
        let many = (0..<NameConnection.limit + 4).map { GuestResolver(web, port: UInt16(41_000 + $0)) }
        try test.turn {
            for guest in many { guest.work() }
            return many.count(where: { $0.session.state == .open }) == NameConnection.limit
        }
        #expect(web.machine.nameConnections.count == NameConnection.limit)
        #expect(web.machine.drops[.excess, default: 0] > 0)
        web.disconnect()
        try test.turn { web.machine.nameConnections.isEmpty }
    }

    @Test("a knock is answered again until it is confirmed, and a stray segment opens nothing") func handshake() throws
    {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        func send(_ flags: UInt8, sequence: UInt32, acknowledgement: UInt32 = 0) {
            web.send(
                packet: Wire.tcp(
                    from: (web.address, 42_000), to: ("10.77.0.1", 53), sequence: sequence,
                    acknowledgement: acknowledgement, flags: flags))
        }
        send(0x10, sequence: 5, acknowledgement: 5)
        #expect(!web.hears { $0.isTCP })
        send(0x02, sequence: 100)
        let first = try web.expect { $0.isTCP }
        #expect(first.flags == 0x12 && first.acknowledgement == 101 && first.isSound)
        // Nothing confirms it: it comes again, the same.
        let second = try web.expect { $0.isTCP }
        #expect(second.flags == 0x12 && second.sequence == first.sequence)
        // A confirmation of something else is none; neither is a reset from outside of the window.
        send(0x10, sequence: 101, acknowledgement: first.sequence &+ 7)
        send(0x04, sequence: 90)
        test.settle()
        #expect(web.machine.nameConnections.count == 1)
        send(0x04, sequence: 101)
        try test.turn { web.machine.nameConnections.isEmpty }
    }
}
