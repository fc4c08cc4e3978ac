import NetworkAddress
import NetworkControl
import TestSupport
import Testing

@testable import UserNetwork

@Suite struct HostileFrameTests {
    /// One frame of every kind that the network looks into.
    private func samples(_ web: ScriptedPeer, _ db: ScriptedPeer, _ gateway: String) -> [[UInt8]] {
        func frame(_ packet: [UInt8], to: String) -> [UInt8] {
            Wire.ethernet(to: to, from: web.mac, type: 0x0800, packet)
        }
        let dhcp = Wire.dhcp(1, mac: web.mac, options: [55, 3, 1, 3, 26, 50, 4, 10, 77, 0, 11])
        return [
            Wire.arp(1, sender: (web.mac, web.address), target: ("00:00:00:00:00:00", "10.77.0.1")),
            frame(Wire.udp(from: ("0.0.0.0", 68), to: ("255.255.255.255", 67), dhcp), to: "ff:ff:ff:ff:ff:ff"),
            frame(
                Wire.udp(from: (web.address, 99), to: ("10.77.0.1", 53), Wire.dnsQuery("db.shop.internal")), to: gateway
            ),
            frame(Wire.udp(from: (web.address, 99), to: (db.address, 53), [1, 2, 3]), to: db.mac),
            frame(
                Wire.tcp(
                    from: (web.address, 99), to: ("10.77.0.1", 9), sequence: 5, acknowledgement: 0, flags: 2,
                    options: [2, 4, 5, 180, 1, 3, 3, 7]),
                to: gateway),
            frame(
                Wire.tcp(
                    from: (web.address, 22), to: ("10.77.0.1", 49152), sequence: 5, acknowledgement: 9, flags: 0x18,
                    [1, 2, 3]),
                to: gateway),
            frame(
                Wire.ipv4(from: web.address, to: "192.0.2.1", transport: 1, [8, 0, 0xf7, 0xff, 0, 0, 0, 0]), to: gateway
            ),
            frame(
                Wire.ipv4(
                    from: web.address, to: "192.0.2.1", transport: 17, [1, 2, 3, 4, 0, 20, 0, 0], fragment: 0x2001),
                to: gateway),
            Wire.ethernet(
                to: "33:33:00:00:00:02", from: web.mac, type: 0x86dd,
                [0x60, 0, 0, 0, 0, 8, 58, 255] + Wire.number(0xfe80_0000_0000_0000 as UInt64, bytes: 8)
                    + Wire.number(0x5054_00ff_fe00_0001 as UInt64, bytes: 8)
                    + Wire.number(0xff02_0000_0000_0000 as UInt64, bytes: 8)
                    + Wire.number(2 as UInt64, bytes: 8) + [133, 0, 0, 0, 0, 0, 0, 0]),
        ]
    }

    private func answersStill(_ test: TestNetwork, _ peer: ScriptedPeer) throws {
        peer.frames = []
        peer.send(Wire.arp(1, sender: (peer.mac, peer.address), target: ("00:00:00:00:00:00", "10.77.0.1")))
        _ = try peer.expect { $0.type == 0x0806 }
        peer.send(packet: Wire.udp(from: (peer.address, 4242), to: ("10.77.0.1", 53), Wire.dnsQuery("host.internal")))
        _ = try peer.expect { $0.isUDP && $0.destinationPort == 4242 }
    }

    @Test("every truncation of every kind of frame is harmless") func truncations() throws {
        let test = try TestNetwork(internet: false, ipv6: true)
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        for sample in samples(web, db, test.gatewayMAC) {
            for count in 0...sample.count { web.send(Array(sample.prefix(count))) }
        }
        try answersStill(test, web)
        try answersStill(test, db)
    }

    @Test("mutated frames harm neither the network nor a neighbour", arguments: 1...12 as ClosedRange<UInt64>)
    func mutations(seed: UInt64) throws {
        // Without the Internet the host's loopback stays out too: a mutation must not talk to what listens there.
        let test = try TestNetwork(internet: false, ipv6: true)
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        var random = SeededGenerator(seed: seed)
        let samples = samples(web, db, test.gatewayMAC)
        for _ in 0..<600 {
            var frame = samples[Int(random.next() % UInt64(samples.count))]
            for _ in 0...random.next() % 4 {
                // The source address mostly stays, or nothing would pass the first check.
                let position =
                    random.next() % 8 == 0
                    ? Int(random.next() % 14) : 12 + Int(random.next() % UInt64(frame.count - 12))
                let values: [UInt8] = [0, 1, 0x7f, 0x80, 0xff, UInt8(truncatingIfNeeded: random.next())]
                frame[position] = values[Int(random.next() % 6)]
            }
            if random.next() % 5 == 0 { frame = Array(frame.prefix(Int(random.next() % UInt64(frame.count + 1)))) }
            if random.next() % 9 == 0 { frame += [UInt8](repeating: 0xa5, count: Int(random.next() % 3000)) }
            web.send(frame)
        }
        try answersStill(test, web)
        try answersStill(test, db)
    }

    @Test("libslirp survives mutated packets to the outside", arguments: 1...8 as ClosedRange<UInt64>)
    func mutationsToOutside(seed: UInt64) throws {
        let test = try TestNetwork(ipv6: true)
        let web = try test.peer("web", 1)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            // Only to an address of a documentation block (RFC 5737): nobody is there.
            var payload = (0..<Int(random.next() % 60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let transports: [UInt8] = [1, 6, 17, 2, 50, UInt8(truncatingIfNeeded: random.next())]
            let transport = transports[Int(random.next() % 6)]
            if transport == 6, payload.count > 13 { payload[12] = 0x50 }
            let fragment = random.next() % 4 == 0 ? UInt16(truncatingIfNeeded: random.next()) & 0x3fff : 0
            var packet = Wire.ipv4(
                from: web.address, to: "192.0.2.\(random.next() % 255)", transport: transport, payload,
                fragment: fragment)
            if random.next() % 6 == 0 { packet[0] = 0x40 | UInt8(random.next() % 16) }
            if random.next() % 6 == 0 { packet[3] = UInt8(truncatingIfNeeded: random.next()) }
            web.send(packet: packet)
        }
        try answersStill(test, web)
    }

    @Test("a frame longer than the network's MTU goes nowhere") func tooLong() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        web.send(Wire.ethernet(to: db.mac, from: web.mac, type: 0x0800, [UInt8](repeating: 0x45, count: 69_000)))
        #expect(!db.hears { _ in true })
        #expect(web.machine.drops == [.malformed: 1])
    }

    @Test("the checksum is RFC 1071's, at every length and alignment") func checksum() {
        let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        for start in 0..<9 {
            for end in start...bytes.count {
                var checksum = InternetChecksum()
                checksum.add(bytes.span.bytes.extracting(start..<end))
                #expect(checksum.value == Wire.checksum(Array(bytes[start..<end])))
            }
        }
    }
}
