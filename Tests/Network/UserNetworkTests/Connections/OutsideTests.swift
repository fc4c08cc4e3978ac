import Glibc
import LinuxSystem
import NetworkControl
import Testing

@testable import UserNetwork

@Suite struct OutsideTests {
    /// A listening socket on the host's loopback interface.
    private func listener() throws -> (descriptor: SharedDescriptor, port: UInt16) {
        let descriptor = SharedDescriptor(try #require(SocketAddress("127.0.0.1", port: 0)).bind(stream: true))
        return (descriptor, SocketAddress.port(of: descriptor.rawValue))
    }

    private func syn(_ peer: ScriptedPeer, to address: String, _ port: UInt16) -> [UInt8] {
        Wire.tcp(from: (peer.address, 40000), to: (address, port), sequence: 100, acknowledgement: 0, flags: 0x02)
    }

    @Test("host.internal leads to the host's loopback interface, both ways") func hostLoopback() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let (server, port) = try listener()
        web.send(packet: syn(web, to: "10.77.0.1", port))
        let answer = try web.expect { $0.isTCP && $0.flags & 0x12 == 0x12 }
        #expect(answer.isSound)
        func send(_ sequence: UInt32, _ flags: UInt8, _ payload: [UInt8] = []) {
            web.send(
                packet: Wire.tcp(
                    from: (web.address, 40000), to: ("10.77.0.1", port), sequence: sequence,
                    acknowledgement: answer.sequence &+ 1, flags: flags, payload))
        }
        send(101, 0x10)
        var raw: CInt = -1
        try test.turn {
            raw = accept(server.rawValue, nil, nil)
            return raw >= 0
        }
        let client = HostClient(raw)
        send(101, 0x18, Array("from the guest".utf8))
        try test.turn {
            client.receive()
            return client.text == "from the guest"
        }
        client.send("from the host")
        #expect(try web.expect { $0.isTCP && !$0.tcpPayload.isEmpty }.tcpPayload == Array("from the host".utf8))
    }

    @Test("UDP to host.internal is answered") func hostLoopbackUDP() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let server = try #require(SocketAddress("127.0.0.1", port: 0)).bind(stream: false)
        let port = SocketAddress.port(of: server.rawValue)
        web.send(packet: Wire.udp(from: (web.address, 777), to: ("10.77.0.1", port), [1, 2, 3]))
        var storage = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var buffer = [UInt8](repeating: 0, count: 100)
        try test.turn {
            let count = withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(server.rawValue, &buffer, 100, Int32(MSG_DONTWAIT), $0, &length)
                }
            }
            return count == 3
        }
        _ = withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(server.rawValue, [4, 5] as [UInt8], 2, 0, $0, length)
            }
        }
        let reply = try web.expect { $0.isUDP && $0.destinationPort == 777 }
        #expect(reply.udpPayload == [4, 5])
        #expect(reply.slice(26..<30) == Wire.address("10.77.0.1"))
    }

    @Test(
        "the host's loopback interface has no other way in",
        arguments: [
            "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.77.0.255", "255.255.255.255", "169.254.169.254", "224.0.0.1",
            "10.77.0.77",
        ])
    func unroutable(address: String) throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let (server, port) = try listener()
        web.send(packet: syn(web, to: address, port))
        web.send(packet: Wire.udp(from: (web.address, 1), to: (address, port), [1]))
        #expect(!web.hears { $0.isTCP })
        #expect(accept(server.rawValue, nil, nil) == -1)
        #expect(web.machine.nat?.socketCount == 0)
        #expect(web.machine.drops == [.noRecipient: 2])
    }

    @Test("internet: false cuts the way out, and says so") func withoutInternet() throws {
        let test = try TestNetwork(internet: false)
        let web = try test.peer("web", 1)
        web.send(packet: syn(web, to: "192.0.2.1", 80))
        #expect(try web.expect { $0.isICMP }.slice(34..<36) == [3, 13])
        #expect(web.machine.nat?.socketCount == 0)
        // A machine may have what its environment has not.
        var other = try test.attachment("db", 2)
        other.internet = true
        #expect(try test.network.add(other).internet)
    }

    @Test("a flood of connections is cut at the machine's limit") func connectionFlood() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        for port in 1000..<4000 as Range<UInt16> {
            web.send(packet: Wire.udp(from: (web.address, port), to: ("10.77.0.1", 9), [1]))
            web.receive()
        }
        test.settle()
        #expect((web.machine.nat?.socketCount ?? 0) <= NATEngine.socketLimit)
        #expect((web.machine.drops[.excess] ?? 0) > 1000)
        // Its services and its neighbours do not suffer.
        web.send(packet: Wire.udp(from: (web.address, 5), to: ("10.77.0.1", 53), Wire.dnsQuery("web")))
        _ = try web.expect { $0.isUDP && $0.sourcePort == 53 }
    }

    @Test("the pieces of a packet are put together, in any order; overlapping ones spoil it") func fragments() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        // A question for the gateway's DNS in three pieces, the header in the first.
        let query = Wire.dnsQuery("web.shop.internal")
        let datagram = Array(Wire.udp(from: (web.address, 700), to: ("10.77.0.1", 53), query).dropFirst(20))
        func piece(_ range: Range<Int>, _ identification: UInt16) -> [UInt8] {
            let more: UInt16 = range.upperBound == datagram.count ? 0 : 0x2000
            return Wire.ipv4(
                from: web.address, to: "10.77.0.1", transport: 17, Array(datagram[range]),
                fragment: more | UInt16(range.lowerBound / 8), identification: identification)
        }
        web.send(packet: piece(16..<32, 1))
        web.send(packet: piece(32..<datagram.count, 1))
        web.send(packet: piece(0..<16, 1))
        #expect(Array(try web.expect { $0.isUDP }.udpPayload.suffix(4)) == Wire.address(web.address))
        web.send(packet: piece(0..<24, 2))
        web.send(packet: piece(16..<32, 2))
        web.send(packet: piece(32..<datagram.count, 2))
        #expect(!web.hears { $0.isUDP })
    }

    @Test("pieces of packets that never become whole are limited") func fragmentFlood() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        for identification in 0..<1000 as Range<UInt16> {
            web.send(
                packet: Wire.ipv4(
                    from: web.address, to: "192.0.2.1", transport: 17, [UInt8](repeating: 0, count: 16_000),
                    fragment: 0x2000, identification: identification))
        }
        test.settle()
        #expect(web.machine.reassembler.held <= Reassembler.limit * 65_536)
    }
}
