import Glibc
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage
import Testing

@testable import UserNetwork

/// What carries a guest's data, by the process that ships: a filter that refuses one call too many shows here and
/// nowhere else. (``NetworkEnvironment`` fails a test in which anything was refused.)
@Suite struct ConfinedTests {
    static let sizes = [1, 2, 100, 1_472, 1_473, 9_000, 21_000, 40_000, 65_464, 65_479, 65_492, 65_493, 65_500, 65_507]

    private func payload(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) } }

    /// A socket of the host's loopback interface that sends everything back.
    private final class Echo {
        let descriptor: OwnedDescriptor
        let port: UInt16
        init() throws {
            descriptor = try #require(SocketAddress("127.0.0.1", port: 0)).bind(stream: false)
            port = SocketAddress.port(of: descriptor.rawValue)
        }
        /// - Returns: The size of what came; nil if nothing did.
        func once() throws -> Int? {
            guard try waitUntilReady(descriptor.rawValue, for: .readable, milliseconds: 10_000) else { return nil }
            var peer = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            var buffer = [UInt8](repeating: 0, count: 65_536)
            return withUnsafeMutablePointer(to: &peer) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    let count = recvfrom(descriptor.rawValue, &buffer, buffer.count, 0, $0, &length)
                    return count < 0 ? nil : sendto(descriptor.rawValue, buffer, count, 0, $0, length)
                }
            }
        }
    }

    @Test("a datagram of any size reaches the host, and its answer the guest", arguments: [1_500, 65_520])
    func datagramsOut(mtu: Int) throws {
        let environment = try NetworkEnvironment(internet: true, hostPorts: [.all], mtu: mtu)
        #expect(try environment.start())
        let guest = try AttachedGuest(environment.configuration.machines[0].socket)
        let echo = try Echo()
        for (index, size) in Self.sizes.enumerated() {
            let port = UInt16(30_000 + index)
            try guest.send(payload(size), from: port, to: ("10.77.0.1", echo.port), mtu: mtu)
            #expect(try echo.once() == size)
            let answer = try guest.expect("\(size) bytes") { $0.isUDP && $0.destinationPort == port }
            #expect(answer.udpPayload == payload(size), "\(size) bytes")
        }
    }

    @Test("a datagram of any size goes through a forward, both ways", arguments: [1_500, 65_520])
    func datagramsIn(mtu: Int) throws {
        let environment = try NetworkEnvironment(mtu: mtu)
        #expect(try environment.start())
        let guest = try AttachedGuest(environment.configuration.machines[0].socket)
        var client = try NetworkClient.connect(folder: environment.configuration.folder)
        let port = try client.add(PortForward(machine: "web", transport: .udp, hostPort: 0, guestPort: 7))
        let socket = try #require(SocketAddress("127.0.0.1", port: 0)).bind(stream: false)
        let target = try #require(SocketAddress("127.0.0.1", port: port))
        for size in [0] + Self.sizes {
            let sent = payload(size)
            #expect(
                target.withKernelAddress { sendto(socket.rawValue, sent, size, 0, $0, $1) } == size, "\(size) bytes")
            let query = try guest.expect("\(size) bytes") { $0.isUDP && $0.destinationPort == 7 }
            #expect(query.udpPayload == sent, "\(size) bytes")
            try guest.send(sent, from: 7, to: ("10.77.0.1", query.sourcePort), mtu: mtu)
            #expect(try waitUntilReady(socket.rawValue, for: .readable, milliseconds: 10_000))
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(socket.rawValue, &buffer, buffer.count, 0)
            #expect(count == size && Array(buffer.prefix(max(0, count))) == sent, "\(size) bytes")
        }
    }

    @Test("a guest's connection to the host carries bytes both ways") func connectionOut() throws {
        let environment = try NetworkEnvironment(internet: true, hostPorts: [.all])
        #expect(try environment.start())
        let guest = try AttachedGuest(environment.configuration.machines[0].socket)
        let listener = try #require(SocketAddress("127.0.0.1", port: 0)).bind(stream: true)
        let port = SocketAddress.port(of: listener.rawValue)
        func send(_ sequence: UInt32, _ acknowledgement: UInt32, _ flags: UInt8, _ payload: [UInt8] = []) {
            guest.send(
                packet: Wire.tcp(
                    from: (guest.address, 40_000), to: ("10.77.0.1", port), sequence: sequence,
                    acknowledgement: acknowledgement, flags: flags, payload))
        }
        send(100, 0, 0x02)
        let welcome = try guest.expect { $0.isTCP && $0.flags & 0x12 == 0x12 }
        send(101, welcome.sequence &+ 1, 0x18, Array("from the guest".utf8))
        #expect(try waitUntilReady(listener.rawValue, for: .readable, milliseconds: 10_000))
        let host = OwnedDescriptor(owning: accept(listener.rawValue, nil, nil))
        #expect(try host.read(upTo: 100) == Array("from the guest".utf8))
        try host.writeAll("from the host")
        let data = try guest.expect { $0.isTCP && !$0.tcpPayload.isEmpty }
        #expect(data.tcpPayload == Array("from the host".utf8))
        send(115, data.sequence &+ 13, 0x11)
        #expect(try host.read(upTo: 100) == [])
    }

    @Test("a client's connection to a guest carries bytes both ways") func connectionIn() throws {
        let environment = try NetworkEnvironment()
        #expect(try environment.start())
        let guest = try AttachedGuest(environment.configuration.machines[0].socket)
        var control = try NetworkClient.connect(folder: environment.configuration.folder)
        let port = try control.add(PortForward(machine: "web", hostPort: 0, guestPort: 80))
        let raw = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        let client = OwnedDescriptor(owning: raw)
        #expect(try #require(SocketAddress("127.0.0.1", port: port)).withKernelAddress { connect(raw, $0, $1) } == 0)
        let knock = try guest.expect { $0.isTCP && $0.flags & 0x02 != 0 }
        func send(_ sequence: UInt32, _ acknowledgement: UInt32, _ flags: UInt8, _ payload: [UInt8] = []) {
            guest.send(
                packet: Wire.tcp(
                    from: (guest.address, 80), to: ("10.77.0.1", knock.sourcePort), sequence: sequence,
                    acknowledgement: acknowledgement, flags: flags, payload))
        }
        send(500, knock.sequence &+ 1, 0x12)
        try client.writeAll("from the client")
        let data = try guest.expect { $0.isTCP && !$0.tcpPayload.isEmpty }
        #expect(data.tcpPayload == Array("from the client".utf8))
        send(501, data.sequence &+ 15, 0x18, Array("from the guest".utf8))
        #expect(try client.read(upTo: 100) == Array("from the guest".utf8))
        client.endOutput()
        #expect(try guest.expect { $0.isTCP && $0.flags & 0x01 != 0 }.isSound)
    }

    @Test("an address keeps the scope of its interface, by its name") func scope() throws {
        // struct sockaddr_in6: the scope is the last of its 28 bytes' fields. The loopback interface is the first.
        let loopback = try #require(SocketAddress("fe80::1%lo", port: 53))
        #expect(loopback.bytes.suffix(4) == [1, 0, 0, 0])
        #expect(try #require(SocketAddress("fe80::1", port: 53)).bytes.suffix(4) == [0, 0, 0, 0])
    }

    /// Port 53 is the only one that resolv.conf can mean.
    private static let mayListen = (try? SocketAddress("127.9.9.9", port: 53)?.bind(stream: false)) != nil

    @Test(
        "questions go to the resolvers of resolv.conf, also to one with the scope of an interface",
        .enabled(if: mayListen), arguments: ["127.9.9.9", "::1%lo"])
    func resolver(address: String) throws {
        let environment = try NetworkEnvironment(internet: true)
        let file = environment.folder.appending("resolv.conf")
        try AtomicFile.write("# of the test\nnameserver \(address)\n", to: file)
        environment.configuration.resolverFile = file
        guard let server = SocketAddress(address, port: 53) else {
            Issue.record("no address")
            return
        }
        // Some hosts have no IPv6 at all.
        guard let upstream = try? server.bind(stream: false) else { return }
        #expect(try environment.start())
        let guest = try AttachedGuest(environment.configuration.machines[0].socket)
        try guest.send(
            Wire.dnsQuery("example.org"), from: 5_000, to: ("10.77.0.1", 53), mtu: environment.configuration.mtu)
        #expect(try waitUntilReady(upstream.rawValue, for: .readable, milliseconds: 10_000))
        var peer = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        var buffer = [UInt8](repeating: 0, count: 512)
        withUnsafeMutablePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let count = recvfrom(upstream.rawValue, &buffer, buffer.count, 0, $0, &length)
                buffer[2] |= 0x80
                _ = sendto(upstream.rawValue, buffer, count, 0, $0, length)
            }
        }
        let answer = try guest.expect { $0.isUDP && $0.destinationPort == 5_000 }
        #expect(answer.udpPayload.starts(with: [0xbe, 0xef, 0x81]))
    }
}
