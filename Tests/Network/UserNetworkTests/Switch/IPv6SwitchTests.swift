import LinuxSystem
import NetworkAddress
import NetworkControl
import Testing

@testable import UserNetwork

/// What one machine may tell the others by IPv6.
@Suite struct IPv6SwitchTests {
    private let everybody = Wire6.address(0xff02_0000_0000_0000, 1)

    private func multicast(_ peer: ScriptedPeer, _ packet: [UInt8]) {
        peer.send(Wire.ethernet(to: "33:33:00:00:00:01", from: peer.mac, type: 0x86dd, packet))
    }
    private func unicast(_ peer: ScriptedPeer, to other: ScriptedPeer, _ packet: [UInt8]) {
        peer.send(Wire.ethernet(to: other.mac, from: peer.mac, type: 0x86dd, packet))
    }
    /// Eight bytes of a header whose options are padding.
    private func padding(before next: UInt8) -> [UInt8] { [next, 0, 1, 4, 0, 0, 0, 0] }
    private func fragment(before next: UInt8, offset: UInt16 = 0, more: Bool = false) -> [UInt8] {
        [next, 0] + Wire.be16(offset | (more ? 1 : 0)) + [0, 0, 0, 7]
    }

    /// Chains of extension headers: the first one's number, and their bytes before a header of type 58.
    private var chains: [(first: UInt8, bytes: [UInt8])] {
        [
            (0, padding(before: 58)), (60, padding(before: 58)), (43, [58, 0, 4, 0, 0, 0, 0, 0]),
            (44, fragment(before: 58)), (44, fragment(before: 58, more: true)),
            (51, [58, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]), (135, padding(before: 58)),
            (0, padding(before: 60) + padding(before: 44) + fragment(before: 60) + padding(before: 58)),
        ]
    }

    @Test(
        "neighbour discovery passes behind no extension header, to nobody and to everybody",
        arguments: [133, 134, 135, 136, 137] as [UInt8])
    func extensionHeaders(type: UInt8) throws {
        let test = try TestNetwork(ipv6: true)
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        // An advertisement of its own address, which it may send as it is.
        let message = Wire6.message(
            from: Wire6.own(1), to: everybody,
            [type, 0, 0, 0, 0, 0, 0, 0] + Wire6.own(1) + [UInt8](repeating: 0, count: 16))
        for chain in chains {
            let packet = Wire6.packet(
                from: Wire6.own(1), to: everybody, next: chain.first, chain.bytes + message, hopLimit: 255)
            multicast(web, packet)
            unicast(web, to: db, packet)
        }
        #expect(!db.hears { $0.type == 0x86dd && $0.slice(22..<38) == Wire6.own(1) })
        #expect(web.machine.drops == [.spoofedAddress: 2 * UInt64(chains.count)])
    }

    @Test("a packet whose headers do not show what it is goes nowhere") func hiddenTransport() throws {
        let test = try TestNetwork(ipv6: true)
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        let advertisement = Wire6.message(
            from: Wire6.own(1), to: everybody, [134, 0, 0, 0] + [UInt8](repeating: 0, count: 12))
        let packets = [
            // A first piece that ends before the transport's header, or within it.
            Wire6.packet(
                from: Wire6.own(1), to: everybody, next: 44, fragment(before: 60, more: true) + padding(before: 58)),
            Wire6.packet(
                from: Wire6.own(1), to: everybody, next: 44,
                fragment(before: 60, more: true) + [58, 2] + [UInt8](repeating: 0, count: 6)),
            Wire6.packet(from: Wire6.own(1), to: everybody, next: 44, fragment(before: 17, more: true) + [0, 1, 0, 2]),
            // A length of zero, which lets an option say where the packet ends.
            Wire6.packet(
                from: Wire6.own(1), to: everybody, next: 0, padding(before: 58) + advertisement, length: 0),
            // A length that leaves the message out, and chains without an end.
            Wire6.packet(
                from: Wire6.own(1), to: everybody, next: 60, padding(before: 58) + advertisement, length: 8),
            Wire6.packet(
                from: Wire6.own(1), to: everybody, next: 60,
                (0..<40).flatMap { _ in padding(before: 60) } + padding(before: 58) + advertisement),
        ]
        for packet in packets {
            multicast(web, packet)
            unicast(web, to: db, packet)
        }
        #expect(!db.hears { $0.type == 0x86dd && $0.slice(22..<38) == Wire6.own(1) })
        #expect(web.machine.drops == [.malformed: 2 * UInt64(packets.count)])
    }

    @Test("what has extension headers and forbids nothing passes: reports of groups, pieces of datagrams")
    func honestExtensions() throws {
        let test = try TestNetwork(ipv6: true)
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        // MLDv2 (RFC 3810), behind the router alert that it must have.
        let groups = Wire6.address(0xff02_0000_0000_0000, 0x16)
        let report = Wire6.message(from: Wire6.own(1), to: groups, [143, 0, 0, 0, 0, 0, 0, 0])
        multicast(web, Wire6.packet(from: Wire6.own(1), to: groups, next: 0, [58, 0, 5, 2, 0, 0, 1, 0] + report))
        _ = try db.expect { $0.type == 0x86dd && $0.number(20, 1) == 0 }
        unicast(
            web, to: db,
            Wire6.packet(
                from: Wire6.own(1), to: Wire6.own(2), next: 44,
                fragment(before: 17, more: true) + [0, 9, 0, 9, 0, 24, 0, 0] + [UInt8](repeating: 1, count: 8)))
        unicast(
            web, to: db,
            Wire6.packet(
                from: Wire6.own(1), to: Wire6.own(2), next: 44,
                fragment(before: 17, offset: 16) + [UInt8](repeating: 2, count: 8)))
        _ = try db.expect { $0.number(20, 1) == 44 && $0.number(56, 2) == 1 }
        _ = try db.expect { $0.number(20, 1) == 44 && $0.number(56, 2) == 16 }
    }

    @Test("a machine's own address is its own, whoever used it first") func interfaceAddresses() throws {
        let test = try TestNetwork(ipv6: true)
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        let forged = Wire6.udp(from: (Wire6.own(2), 1), to: (Wire6.own(1), 2), [1])
        unicast(web, to: db, forged)
        // Nor does it answer when the other asks whether the address is free.
        multicast(
            web,
            Wire6.icmp(
                from: Wire6.own(1), to: everybody,
                [136, 0, 0, 0, 0x20, 0, 0, 0] + Wire6.own(2) + [2, 1] + Wire.mac(web.mac), hopLimit: 255))
        #expect(!db.hears { $0.type == 0x86dd && ($0.slice(22..<38) == Wire6.own(2) || $0.number(54, 1) == 136) })
        #expect(web.machine.drops == [.spoofedAddress: 2])
        unicast(db, to: web, forged)
        _ = try web.expect { $0.type == 0x86dd && $0.slice(22..<38) == Wire6.own(2) }
    }

    @Test("an address that a machine is about to take is no other's") func tentativeAddress() throws {
        let test = try TestNetwork(ipv6: true)
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        let target = Wire6.address(0xfe80_0000_0000_0000, 0x1234_5678_9abc_def0)
        multicast(
            db,
            Wire6.icmp(
                from: Wire6.address(0, 0), to: everybody, [135, 0, 0, 0, 0, 0, 0, 0] + target, hopLimit: 255))
        _ = try web.expect { $0.type == 0x86dd && $0.number(54, 1) == 135 && $0.slice(62..<78) == target }
        multicast(
            web,
            Wire6.icmp(
                from: Wire6.own(1), to: everybody,
                [136, 0, 0, 0, 0x20, 0, 0, 0] + target + [2, 1] + Wire.mac(web.mac), hopLimit: 255))
        #expect(!db.hears { $0.type == 0x86dd && $0.number(54, 1) == 136 })
    }

    @Test("a guest that makes a new address a day never runs out of them") func manyAddresses() throws {
        let test = try TestNetwork(ipv6: true)
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        for number in 0..<40 as Range<UInt64> {
            let source = Wire6.address(Wire6.prefix, 0x1000 + number)
            unicast(web, to: db, Wire6.udp(from: (source, 1), to: (Wire6.own(2), 2), [1]))
            _ = try db.expect { $0.slice(22..<38) == source }
        }
        #expect(web.machine.drops.isEmpty)
        // The last ones are still its own.
        let last = Wire6.address(Wire6.prefix, 0x1000 + 39)
        unicast(db, to: web, Wire6.udp(from: (last, 1), to: (Wire6.own(1), 2), [1]))
        #expect(!web.hears { $0.slice(22..<38) == last })
    }

    @Test("an address that nobody has used for a day is anybody's") func ageing() throws {
        var table = IPv6AddressTable()
        let address = IPv6Address(high: 0xfe80_0000_0000_0000, low: 77)
        let start = MonotonicClock.now
        func later(_ milliseconds: Int64) -> MonotonicClock { start.advanced(byMilliseconds: milliseconds) }
        func claim(_ machine: String, _ now: MonotonicClock) -> Bool { table.claim(address, for: machine, at: now) }
        #expect(claim("web", start))
        #expect(!claim("db", later(IPv6AddressTable.age - 1)))
        #expect(claim("web", later(IPv6AddressTable.age - 1)))
        #expect(!claim("db", later(IPv6AddressTable.age + 1)))
        #expect(claim("db", later(2 * IPv6AddressTable.age)))
        #expect(!claim("web", later(2 * IPv6AddressTable.age)))
        table.forget("db")
        #expect(claim("web", later(2 * IPv6AddressTable.age)))
    }

    @Test("no machine plays the DHCP server, to one machine or to all, by IPv4 or IPv6") func rogueServer() throws {
        let test = try TestNetwork(ipv6: true)
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        let offer = Wire.udp(from: (web.address, 67), to: (db.address, 68), [2, 1, 6, 0])
        web.send(packet: offer, to: db)
        // The ports are in the first piece.
        web.send(
            packet: Wire.ipv4(
                from: web.address, to: db.address, transport: 17, Array(offer[20..<28]), fragment: 0x2000), to: db)
        let reply = Wire6.udp(from: (Wire6.own(1), 547), to: (Wire6.own(2), 546), [7, 0, 0, 0])
        unicast(web, to: db, reply)
        multicast(web, reply)
        #expect(!db.hears { $0.isUDP || $0.type == 0x86dd && $0.number(20, 1) == 17 })
        #expect(web.machine.drops == [.notAllowed: 4])
        // Other datagrams pass, in pieces too.
        web.send(
            packet: Wire.ipv4(
                from: web.address, to: db.address, transport: 17, [0, 9, 0, 9, 0, 24, 0, 0], fragment: 0x2000), to: db)
        _ = try db.expect { $0.isUDP }
    }

    @Test("echo requests that libslirp only complains of do not reach it") func foreignEcho() throws {
        let test = try TestNetwork(ipv6: true)
        let web = try test.peer("web", 1)
        let foreign = Wire6.address(0x2001_0db8_0000_0000, 1)
        for destination in [foreign, Wire6.address(0xfe80_0000_0000_0000, 0x99)] {
            web.send(
                Wire.ethernet(
                    to: "52:56:00:00:00:02", from: web.mac, type: 0x86dd,
                    Wire6.icmp(from: Wire6.own(1), to: destination, [128, 0, 0, 0, 0, 1, 0, 1])))
            let answer = try web.expect { $0.type == 0x86dd && $0.number(54, 2) == 0x0101 }
            #expect(Wire6.isSound(answer))
        }
        #expect(web.machine.drops == [.notAllowed: 2])
        // The router itself answers.
        let router = Wire6.address(0xfe80_0000_0000_0000, 2)
        web.send(
            Wire.ethernet(
                to: "52:56:00:00:00:02", from: web.mac, type: 0x86dd,
                Wire6.icmp(from: Wire6.own(1), to: router, [128, 0, 0, 0, 0, 1, 0, 1])))
        try test.turn {
            web.receive()
            for question in web.frames where question.type == 0x86dd && question.number(54, 1) == 135 {
                web.send(
                    Wire.ethernet(
                        to: "52:56:00:00:00:02", from: web.mac, type: 0x86dd,
                        Wire6.icmp(
                            from: Wire6.own(1), to: question.slice(22..<38),
                            [136, 0, 0, 0, 0x60, 0, 0, 0] + Wire6.own(1) + [2, 1] + Wire.mac(web.mac), hopLimit: 255)))
            }
            web.frames.removeAll { $0.number(54, 1) == 135 }
            return web.frames.contains { $0.type == 0x86dd && $0.number(54, 1) == 129 }
        }
    }
}
