import Glibc
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage
import Testing

@testable import UserNetwork

@Suite struct SwitchTests {
    private func arpRequest(_ peer: ScriptedPeer, for target: String) -> [UInt8] {
        Wire.arp(1, sender: (peer.mac, peer.address), target: ("00:00:00:00:00:00", target))
    }

    @Test("ARP for the gateway and for other machines is answered, and reaches nobody else") func arp() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        web.send(arpRequest(web, for: "10.77.0.1"))
        let gateway = try web.expect { $0.type == 0x0806 }
        #expect(gateway.slice(20..<32) == [0, 2] + Wire.mac(test.gatewayMAC) + Wire.address("10.77.0.1"))
        web.send(arpRequest(web, for: db.address))
        let peer = try web.expect { $0.type == 0x0806 }
        #expect(peer.slice(22..<32) == Wire.mac(db.mac) + Wire.address(db.address))
        web.send(arpRequest(web, for: "10.77.0.200"))
        #expect(!web.hears { $0.type == 0x0806 })
        #expect(!db.hears { $0.type == 0x0806 })
    }

    @Test("a machine that lies about itself in ARP is not heard") func arpSpoofing() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        for frame in [
            Wire.arp(2, sender: (web.mac, db.address), target: (db.mac, db.address), to: db.mac),
            Wire.arp(1, sender: (web.mac, "10.77.0.1"), target: (web.mac, "10.77.0.1")),
            Wire.arp(2, sender: (db.mac, web.address), target: (db.mac, db.address), to: db.mac, from: web.mac),
        ] { web.send(frame) }
        #expect(!db.hears { _ in true })
        #expect(!web.hears { _ in true })
        #expect(web.machine.drops[.spoofedAddress] == 3)
    }

    @Test("machines reach each other") func unicast() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        let packet = Wire.udp(from: (web.address, 1000), to: (db.address, 2000), Array("hello".utf8))
        web.send(packet: packet, to: db)
        #expect(try db.expect { $0.isUDP }.udpPayload == Array("hello".utf8))
    }

    @Test("frames up to the largest MTU pass whole") func largeFrames() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        let payload = (0..<65_492).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        web.send(packet: Wire.udp(from: (web.address, 1), to: (db.address, 2), payload), to: db)
        #expect(try db.expect { $0.isUDP }.udpPayload == payload)
    }

    @Test(
        "the longest frame, with all the padding that there may be, passes; a byte more is dropped and breaks nothing")
    func frameLimit() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        func frame(_ count: Int) -> [UInt8] {
            let packet = Wire.udp(from: (web.address, 1), to: (db.address, 2), [UInt8](repeating: 7, count: 65_492))
            let frame = Wire.ethernet(to: db.mac, from: web.mac, type: 0x0800, packet)
            return frame + [UInt8](repeating: 0, count: count - frame.count)
        }
        // An MTU of 65,520, 14 bytes of Ethernet, and 18 for tags and padding.
        web.send(frame(65_552))
        #expect(try db.expect { $0.isUDP }.bytes.count == 65_552)
        web.send(frame(65_553))
        #expect(!db.hears { _ in true })
        #expect(web.machine.drops == [.malformed: 1])
        web.send(packet: Wire.udp(from: (web.address, 1), to: (db.address, 2), [9]), to: db)
        #expect(try db.expect { $0.isUDP }.udpPayload == [9])
    }

    @Test("a machine cannot send as another, by Ethernet or by IP address") func spoofing() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        let honest = Wire.udp(from: (web.address, 1), to: (db.address, 2), [1])
        web.send(Wire.ethernet(to: db.mac, from: test.gatewayMAC, type: 0x0800, honest))
        web.send(Wire.ethernet(to: db.mac, from: db.mac, type: 0x0800, honest))
        for source in ["10.77.0.1", db.address, "8.8.8.8", "0.0.0.0"] {
            web.send(packet: Wire.udp(from: (source, 1), to: (db.address, 2), [1]), to: db)
        }
        #expect(!db.hears { _ in true })
        #expect(web.machine.drops == [.spoofedMAC: 2, .spoofedAddress: 4])
    }

    @Test("a broadcast reaches every other machine, a rogue DHCP server nobody") func broadcast() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        let cache = try test.peer("cache", 3)
        func broadcast(_ packet: [UInt8]) -> [UInt8] {
            Wire.ethernet(to: "ff:ff:ff:ff:ff:ff", from: web.mac, type: 0x0800, packet)
        }
        web.send(broadcast(Wire.udp(from: (web.address, 9), to: ("10.77.0.255", 9), [42])))
        #expect(try db.expect { $0.isUDP }.udpPayload == [42])
        #expect(try cache.expect { $0.isUDP }.udpPayload == [42])
        #expect(!web.hears { $0.isUDP })
        web.send(broadcast(Wire.udp(from: (web.address, 67), to: ("255.255.255.255", 68), [2, 1, 6, 0])))
        #expect(!db.hears { _ in true })
        #expect(web.machine.drops[.notAllowed] == 1)
    }

    @Test(
        "other protocols and VLAN tags go nowhere",
        arguments: [0x8100, 0x88a8, 0x8035, 0x0000, 0x05dc, 0x86dd] as [UInt16])
    func otherProtocols(type: UInt16) throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        web.send(Wire.ethernet(to: db.mac, from: web.mac, type: type, [UInt8](repeating: 0x60, count: 80)))
        #expect(!db.hears { _ in true })
        #expect(web.machine.drops.values.reduce(0, +) == 1)
    }

    @Test("a broadcast storm is cut, and its sender can still talk") func storm() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let db = try test.peer("db", 2)
        let frame = Wire.ethernet(
            to: "ff:ff:ff:ff:ff:ff", from: web.mac, type: 0x0800,
            Wire.udp(from: (web.address, 9), to: ("10.77.0.255", 9), [42]))
        for _ in 0..<4000 { web.send(frame) }
        test.settle()
        db.receive()
        #expect(db.frames.count < 3000)
        #expect(db.frames.count >= 500)
        #expect((web.machine.drops[.excess] ?? 0) > 1000)
        db.frames = []
        web.send(packet: Wire.udp(from: (web.address, 1), to: (db.address, 2), [7]), to: db)
        #expect(try db.expect { $0.udpPayload == [7] }.isSound)
    }

    @Test("a machine that reads nothing costs bounded memory and stops nobody else") func stuckReader() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let stuck = try test.peer("stuck", 2)
        let db = try test.peer("db", 3)
        let large = Wire.udp(from: (web.address, 1), to: (stuck.address, 2), [UInt8](repeating: 1, count: 60_000))
        // Far more than the queue holds: senders pause for a moment, then the frames are lost.
        for _ in 0..<200 { web.send(packet: large, to: stuck) }
        web.send(packet: Wire.udp(from: (web.address, 1), to: (db.address, 2), [7]), to: db)
        #expect(try db.expect { $0.udpPayload == [7] }.isSound)
        let link = try #require(stuck.machine.link)
        #expect(link.queued <= FrameLink.queueLimit + EthernetFrame.limit)
        #expect(link.dropped > 0)
        // It wakes up, and is served again.
        try test.turn {
            stuck.receive()
            return link.queued == 0
        }
        stuck.frames = []
        web.send(packet: Wire.udp(from: (web.address, 3), to: (stuck.address, 4), [9]), to: stuck)
        #expect(try stuck.expect { $0.udpPayload == [9] }.isSound)
    }

    @Test("a monitor that breaks the framing is disconnected, and may come back") func brokenFraming() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        web.sendRaw([0xff, 0xff, 0xff, 0xff, 1, 2, 3])
        try test.turn { web.machine.link == nil }
        let again = try ScriptedPeer(machine: web.machine, number: 1, in: test)
        try test.turn { web.machine.link != nil }
        again.send(arpRequest(again, for: "10.77.0.1"))
        _ = try again.expect { $0.type == 0x0806 }
    }

    @Test("says once when the network has become quiet after a lot of traffic") func quiet() throws {
        let test = try TestNetwork()
        let (web, db) = (try test.peer("web", 1), try test.peer("db", 2))
        var calls = 0
        test.network.whenQuiet = { calls += 1 }
        let packet = Wire.udp(from: (web.address, 5), to: (db.address, 6), [UInt8](repeating: 1, count: 60_000))
        web.send(packet: packet, to: db)
        try test.turn(within: 10_000) { calls == 1 }
        web.send(packet: Wire.udp(from: (web.address, 5), to: (db.address, 6), [1]), to: db)
        let limit = MonotonicClock.now.advanced(byMilliseconds: QuietTimer.interval + 500)
        while MonotonicClock.now < limit { test.settle() }
        #expect(calls == 1)
    }
}

@Suite struct DatagramLinkTests {
    /// A monitor that speaks datagrams, as QEMU's `-netdev dgram` does.
    private func bind(_ machine: Station) throws -> SharedDescriptor {
        SharedDescriptor(try UnixSocket.bindDatagram(at: FilePath(machine.attachment.socket.string + ".peer")))
    }

    private func resolves(
        _ test: TestNetwork, _ machine: Station, _ socket: SharedDescriptor, at path: FilePath? = nil
    ) throws {
        let sender = try UnixSocketAddress(path ?? machine.attachment.socket).connectDatagram()
        let request = Wire.arp(
            1, sender: (TestNetwork.mac(1), TestNetwork.address(1)), target: ("00:00:00:00:00:00", "10.77.0.1"))
        #expect(request.withUnsafeBytes { write(sender.rawValue, $0.baseAddress, $0.count) } == request.count)
        var buffer = [UInt8](repeating: 0, count: 2000)
        try test.turn { recv(socket.rawValue, &buffer, buffer.count, 0) > 40 }
        #expect(Array(buffer[20..<28]) == [0, 2] + Wire.mac(test.gatewayMAC))
    }

    @Test("a monitor's datagrams are frames; it may go and come back") func datagrams() throws {
        let test = try TestNetwork()
        var attachment = try test.attachment("web", 1)
        attachment.transport = .datagram
        let machine = try test.network.add(attachment)
        #expect(machine.link == nil)
        do {
            let monitor = try bind(machine)
            try resolves(test, machine, monitor)
            #expect(machine.link != nil)
        }
        try test.turn { machine.link == nil }
        let again = try bind(machine)
        // It is found without having said anything.
        try test.turn { machine.link != nil }
        try resolves(test, machine, again)
    }

    @Test("a machine whose folder is moved stays connected") func moved() throws {
        let test = try TestNetwork()
        var attachment = try test.attachment("web", 1)
        attachment.transport = .datagram
        try FileSystem.makeDirectory(test.folder.appending("one"))
        attachment.socket = test.folder.appending("one/web.sock")
        let machine = try test.network.add(attachment)
        let monitor = try bind(machine)
        try resolves(test, machine, monitor)
        let link = try #require(machine.link)
        try FileSystem.rename(test.folder.appending("one"), to: test.folder.appending("two"))
        // By then it has been looked for again.
        let end = MonotonicClock.now.advanced(byMilliseconds: DatagramPort.interval + 100)
        try test.turn { end < .now }
        #expect(machine.link === link)
        try resolves(test, machine, monitor, at: test.folder.appending("two/web.sock"))
    }
}
