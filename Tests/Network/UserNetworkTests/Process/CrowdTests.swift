import Glibc
import LinuxSystem
import NetworkControl
import Testing

@testable import UserNetwork

/// Many connections, and machines that want too many of them.
@Suite struct CrowdTests {
    private func syn(_ peer: ScriptedPeer, from port: UInt16, to target: UInt16) -> [UInt8] {
        Wire.tcp(from: (peer.address, port), to: ("10.77.0.1", target), sequence: 100, acknowledgement: 0, flags: 0x02)
    }

    private func listener() throws -> (descriptor: SharedDescriptor, port: UInt16) {
        let descriptor = SharedDescriptor(try #require(SocketAddress("127.0.0.1", port: 0)).bind(stream: true))
        return (descriptor, SocketAddress.port(of: descriptor.rawValue))
    }

    @Test("one machine may have most descriptors, and leaves some for each that comes later") func fairness() {
        let budget = DescriptorBudget(limit: 1_000)
        let accounts = (0..<3).map { _ in budget.account() }
        for account in accounts { while account.mayOpen { account.open += 1 } }
        #expect(accounts[0].used > 600)
        #expect(accounts.allSatisfy { $0.used > 20 })
        #expect(accounts.reduce(0) { $0 + $1.used } < 1_000 - 32)
        accounts[0].open = 0
        while accounts[2].mayOpen { accounts[2].open += 1 }
        #expect(accounts[2].used > 500)
        #expect(accounts[0].mayOpen)
        let large = DescriptorBudget(limit: 1 << 20)
        let alone = large.account()
        // Whoever fills a machine's port leaves the machine its own way out.
        while alone.mayTakeClient { alone.open += 1 }
        #expect(alone.mayOpen && alone.used == DescriptorBudget.machineLimit / 4 * 3)
        alone.open = DescriptorBudget.machineLimit - 1
        #expect(alone.mayOpen)
        alone.open += 1
        #expect(!alone.mayOpen)
    }

    @Test("a flood of knocks at a service of the host is refused beyond its limit, and the neighbour gets through")
    func knocks() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        let (server, port) = try listener()
        for number in 0..<4_000 as Range<UInt16> {
            web.send(packet: syn(web, from: 10_000 + number, to: port))
            if number % 50 == 0 { web.receive() }
        }
        test.settle()
        web.receive()
        #expect(web.machine.descriptors.used <= Network.pendingLimit + 2)
        #expect(web.machine.pendingOutside <= Network.pendingLimit)
        // What is over the limit is told so.
        #expect(web.frames.contains { $0.isTCP && $0.flags & 0x04 != 0 })
        db.send(packet: syn(db, from: 700, to: port))
        #expect(try db.expect { $0.isTCP && $0.destinationPort == 700 }.flags & 0x12 == 0x12)
        _ = server
    }

    @Test("six hundred connections at once are each opened or refused") func connects() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let (server, port) = try listener()
        var answered: Set<UInt16> = []
        for number in 0..<600 as Range<UInt16> { web.send(packet: syn(web, from: 10_000 + number, to: port)) }
        try test.turn {
            web.receive()
            for frame in web.frames where frame.isTCP && frame.flags & 0x12 == 0x12 || frame.flags & 0x04 != 0 {
                answered.insert(frame.destinationPort)
            }
            web.frames = []
            while case let raw = accept(server.rawValue, nil, nil), raw >= 0 { close(raw) }
            return answered.count == 600
        }
    }

    @Test("a port of the outside that nobody listens on is refused at once, with a reset that belongs to the knock")
    func refused() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let port = try listener().port
        web.send(packet: syn(web, from: 40_000, to: port))
        let answer = try web.expect { $0.isTCP && $0.flags & 0x04 != 0 }
        #expect(answer.acknowledgement == 101 && answer.sourcePort == port && answer.isSound)
        // A segment of a connection that nobody knows is reset too.
        web.send(
            packet: Wire.tcp(
                from: (web.address, 40_001), to: ("10.77.0.1", port), sequence: 5, acknowledgement: 77, flags: 0x10))
        #expect(try web.expect { $0.isTCP && $0.destinationPort == 40_001 }.sequence == 77)
    }

    private func client(_ port: UInt16) throws -> HostClient {
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        _ = try #require(SocketAddress("127.0.0.1", port: port)).withKernelAddress { connect(raw, $0, $1) }
        return HostClient(raw)
    }

    @Test("a thousand clients talk through one forward at the same time") func thousand() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let guest = GuestServer(web, open: [80])
        let port = try test.network.add(PortForward(machine: "web", hostPort: 0, guestPort: 80))
        let clients = try (0..<1_000).map { _ in try client(port) }
        try test.turn(within: 60_000) {
            guest.serve()
            return test.network.forwards[0].connections == 1_000
        }
        for client in clients { client.send("hello") }
        try test.turn(within: 60_000) {
            guest.serve()
            for client in clients { client.receive() }
            return clients.allSatisfy { $0.text == "hello" }
        }
    }

    @Test("clients that find no room are reset after a moment, and the log says so; room is used again")
    func full() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let guest = GuestServer(web, open: [80])
        guest.closesToo = false
        let port = try test.network.add(PortForward(machine: "web", hostPort: 0, guestPort: 80))
        let first = try client(port)
        try test.turn {
            guest.serve()
            return test.network.forwards[0].connections == 1
        }
        web.machine.descriptors.open += DescriptorBudget.machineLimit
        let second = try client(port)
        try test.turn {
            guest.serve()
            second.receive()
            return second.ended
        }
        #expect(second.failure == ECONNRESET)
        web.machine.descriptors.open -= DescriptorBudget.machineLimit
        let third = try client(port)
        third.send("third")
        try test.turn {
            guest.serve()
            third.receive()
            return third.text == "third"
        }
        _ = first
    }

    @Test("known UDP ports go on when there is no room for new ones, and connections need none of theirs")
    func datagrams() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let server = try #require(SocketAddress("127.0.0.1", port: 0)).bind(stream: false)
        let port = SocketAddress.port(of: server.rawValue)
        func say(_ source: UInt16, _ byte: UInt8) {
            web.send(packet: Wire.udp(from: (web.address, source), to: ("10.77.0.1", port), [byte]))
        }
        say(5_000, 1)
        for source in 10_000..<10_700 as Range<UInt16> { say(source, 2) }
        try test.turn { web.machine.counters.framesFrom == 701 }
        var byte: UInt8 = 0
        while recv(server.rawValue, &byte, 1, Int32(MSG_DONTWAIT)) == 1 {}
        #expect((web.machine.drops[.excess] ?? 0) > 100)
        say(5_000, 9)
        try test.turn { recv(server.rawValue, &byte, 1, Int32(MSG_DONTWAIT)) == 1 }
        #expect(byte == 9)
        let stream = try listener()
        web.send(packet: syn(web, from: 40_000, to: stream.port))
        #expect(try web.expect { $0.isTCP }.flags & 0x12 == 0x12)
    }
}
