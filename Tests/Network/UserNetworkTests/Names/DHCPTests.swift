import NetworkAddress
import NetworkControl
import Testing

@testable import UserNetwork

@Suite struct DHCPTests {
    private func exchange(_ peer: ScriptedPeer, _ message: [UInt8]) throws -> [UInt8] {
        peer.send(
            Wire.ethernet(
                to: "ff:ff:ff:ff:ff:ff", from: peer.mac, type: 0x0800,
                Wire.udp(from: ("0.0.0.0", 68), to: ("255.255.255.255", 67), message)))
        let reply = try peer.expect { $0.isUDP && $0.sourcePort == 67 }
        #expect(reply.isSound)
        #expect(reply.slice(0..<6) == Wire.mac(peer.mac))
        return reply.udpPayload
    }

    /// The value of an option (RFC 2132).
    private func option(_ code: UInt8, in message: [UInt8]) -> [UInt8]? {
        var position = 240
        while position + 1 < message.count, message[position] != 255 {
            if message[position] == code {
                return Array(message[(position + 2)..<(position + 2 + Int(message[position + 1]))])
            }
            position += 2 + Int(message[position + 1])
        }
        return nil
    }

    @Test("a client gets its machine's address, router, resolver and names") func offerAndAcknowledge() throws {
        let test = try TestNetwork()
        let peer = try test.peer("web", 1)
        let offer = try exchange(peer, Wire.dhcp(1, mac: peer.mac, options: [55, 2, 26, 119]))
        #expect(option(53, in: offer) == [2])
        #expect(Array(offer[4..<8]) == [0x12, 0x34, 0x56, 0x78])
        #expect(Array(offer[16..<20]) == Wire.address(peer.address))
        let acknowledgement = try exchange(
            peer,
            Wire.dhcp(
                3, mac: peer.mac, options: [50, 4] + Wire.address(peer.address) + [54, 4] + Wire.address("10.77.0.1")))
        #expect(option(53, in: acknowledgement) == [5])
        #expect(option(1, in: acknowledgement) == [255, 255, 255, 0])
        #expect(option(3, in: acknowledgement) == Wire.address("10.77.0.1"))
        #expect(option(6, in: acknowledgement) == Wire.address("10.77.0.1"))
        #expect(option(12, in: acknowledgement) == Array("web".utf8))
        #expect(option(15, in: acknowledgement) == Array("shop.internal".utf8))
        #expect(option(26, in: offer) == Wire.be16(65520))
        #expect(option(119, in: offer) == [4] + Array("shop".utf8) + [8] + Array("internal".utf8) + [0])
        #expect(option(26, in: acknowledgement) == nil, "the MTU is told only to those who ask")
        #expect(peer.machine.leased)
    }

    @Test("a request for another address is refused") func wrongAddress() throws {
        let test = try TestNetwork()
        let peer = try test.peer("web", 1)
        let reply = try exchange(peer, Wire.dhcp(3, mac: peer.mac, options: [50, 4] + Wire.address("10.77.0.99")))
        #expect(option(53, in: reply) == [6])
        #expect(!peer.machine.leased)
    }

    @Test("a request that names another server, or another client, gets no answer") func notForUs() throws {
        let test = try TestNetwork()
        let peer = try test.peer("web", 1)
        for message in [
            Wire.dhcp(3, mac: peer.mac, options: [54, 4] + Wire.address("10.77.0.66")),
            Wire.dhcp(1, mac: "52:54:00:ff:ff:ff"), Wire.dhcp(4, mac: peer.mac), Wire.dhcp(200, mac: peer.mac),
        ] {
            peer.send(
                Wire.ethernet(
                    to: "ff:ff:ff:ff:ff:ff", from: peer.mac, type: 0x0800,
                    Wire.udp(from: ("0.0.0.0", 68), to: ("255.255.255.255", 67), message)))
        }
        #expect(!peer.hears { $0.isUDP })
    }

    @Test("every truncation of a message is harmless") func truncated() throws {
        let subnet = try #require(IPv4Subnet("10.77.0.0/24"))
        let mac = try #require(MACAddress("52:54:00:00:00:01"))
        let server = DHCPServer(
            gateway: subnet.gateway, subnet: subnet, address: IPv4Address(rawValue: 0x0a4d_0005), mac: mac,
            hostname: "web",
            domains: ["shop.internal"], mtu: 1500)
        let message = Wire.dhcp(1, mac: "52:54:00:00:00:01", options: [55, 3, 1, 3, 26])
        for count in 0..<240 { #expect(server.reply(to: Array(message.prefix(count))) == nil) }
        #expect(server.reply(to: message) != nil)
    }

    @Test("addresses stay with their machines, whatever the order") func stableAddresses() throws {
        let test = try TestNetwork(persistent: true)
        func attachment(_ name: String, _ number: Int) throws -> MachineAttachment {
            var machine = try test.attachment(name, number)
            machine.address = nil
            return machine
        }
        let first = try test.network.add(try attachment("web", 1)).address
        let second = try test.network.add(try attachment("db", 2)).address
        #expect(first != second)
        var table = LeaseTable(file: test.network.configuration.leaseFile, subnet: test.network.configuration.subnet)
        #expect(try table.address(for: try attachment("db", 2), taken: []) == second)
        #expect(try table.address(for: try attachment("web", 1), taken: [second]) == first)
    }

    @Test("an address outside the network, or another's, is refused") func unusableAddress() throws {
        let test = try TestNetwork()
        _ = try test.peer("web", 1)
        var other = try test.attachment("db", 2)
        other.address = IPv4Address(TestNetwork.address(1))
        #expect(throws: AttachmentError.self) { try test.network.add(other) }
        other.address = IPv4Address("10.77.0.1")
        #expect(throws: AttachmentError.self) { try test.network.add(other) }
        other.address = IPv4Address("10.78.0.5")
        #expect(throws: AttachmentError.self) { try test.network.add(other) }
    }

    @Test("a client that renews an address of another network is told that it may not keep it") func foreignRenewal()
        throws
    {
        let test = try TestNetwork()
        let peer = try test.peer("web", 1)
        func renew(_ kind: UInt8) {
            peer.send(
                Wire.ethernet(
                    to: test.gatewayMAC, from: peer.mac, type: 0x0800,
                    Wire.udp(
                        from: ("10.99.0.5", 68), to: ("10.77.0.1", 67),
                        Wire.dhcp(kind, mac: peer.mac, client: "10.99.0.5"))))
        }
        renew(3)
        let reply = try peer.expect { $0.isUDP && $0.sourcePort == 67 }
        #expect(option(53, in: reply.udpPayload) == [6])
        // Nothing else is answered to such an address.
        renew(1)
        renew(8)
        #expect(!peer.hears { $0.isUDP })
    }

    @Test("the host's search domains follow the environment's own") func searchList() throws {
        let subnet = try #require(IPv4Subnet("10.77.0.0/24"))
        let mac = try #require(MACAddress("52:54:00:00:00:01"))
        let server = DHCPServer(
            gateway: subnet.gateway, subnet: subnet, address: IPv4Address(rawValue: 0x0a4d_0005), mac: mac,
            hostname: "web", domains: ["shop.internal", "b.org", String(repeating: "long.", count: 50)], mtu: 1500)
        let reply = try #require(server.reply(to: Wire.dhcp(1, mac: "52:54:00:00:00:01", options: [55, 1, 119])))
        let wanted =
            [4] + Array("shop".utf8) + [8] + Array("internal".utf8) + [0, 1] + Array("b".utf8) + [3]
            + Array("org".utf8) + [0]
        #expect(option(119, in: reply.payload) == wanted)
    }
}
