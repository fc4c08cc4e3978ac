import Glibc
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage
import Testing

@testable import UserNetwork

/// What a machine reaches of the host's loopback interface: what it was given, and nothing without being given it.
@Suite struct HostPortTests {
    private func listener(on host: String = "127.0.0.1") throws -> (descriptor: SharedDescriptor, port: UInt16) {
        let descriptor = SharedDescriptor(try #require(SocketAddress(host, port: 0)).bind(stream: true))
        return (descriptor, SocketAddress.port(of: descriptor.rawValue))
    }

    private func syn(_ peer: ScriptedPeer, _ port: UInt16, from source: UInt16 = 40000) -> [UInt8] {
        Wire.tcp(
            from: (peer.address, source), to: ("10.77.0.1", port), sequence: 100, acknowledgement: 0, flags: 0x02)
    }

    @Test("a port that was not given is refused at once, and nothing connects to it", arguments: [true, false])
    func refused(internet: Bool) throws {
        // Without the Internet nothing is given, whatever the definition says.
        let test = try TestNetwork(internet: internet, hostPorts: internet ? [] : [.all])
        let web = try test.peer("web", 1)
        let (server, port) = try listener()
        web.send(packet: syn(web, port))
        // ICMP: communication administratively prohibited, with the offending packet.
        let rejection = try web.expect { $0.isICMP }
        #expect(rejection.slice(34..<36) == [3, 13])
        #expect(Wire.checksum(rejection.slice(34..<rejection.bytes.count)) == 0)
        #expect(Array(rejection.bytes.suffix(8).prefix(4)) == Wire.be16(40000) + Wire.be16(port))
        web.send(packet: Wire.udp(from: (web.address, 5), to: ("10.77.0.1", port), [1]))
        #expect(try web.expect { $0.isICMP }.slice(34..<36) == [3, 13])
        #expect(!web.hears { $0.isTCP })
        #expect(accept(server.rawValue, nil, nil) == -1)
        #expect(web.machine.nat?.socketCount == 0)
        #expect(web.machine.drops == [.notAllowed: 2])
    }

    @Test("a port that was given is reached by its own transport alone, its neighbours not") func given() throws {
        let (server, port) = try listener()
        let test = try TestNetwork(hostPorts: [.range(port...port, .tcp)])
        let web = try test.peer("web", 1)
        web.send(packet: syn(web, port))
        #expect(try web.expect { $0.isTCP && $0.flags & 0x12 == 0x12 }.isSound)
        web.send(packet: syn(web, port == .max ? port - 1 : port + 1, from: 40001))
        #expect(try web.expect { $0.isICMP }.slice(34..<36) == [3, 13])
        web.send(packet: Wire.udp(from: (web.address, 5), to: ("10.77.0.1", port), [1]))
        #expect(try web.expect { $0.isICMP }.slice(34..<36) == [3, 13])
        _ = server
    }

    @Test("the gateway's own services need no leave") func services() throws {
        let test = try TestNetwork(internet: false, hostPorts: [])
        let web = try test.peer("web", 1)
        web.send(packet: Wire.udp(from: (web.address, 5), to: ("10.77.0.1", 53), Wire.dnsQuery("web.shop.internal")))
        #expect(try web.expect { $0.isUDP }.sourcePort == 53)
        web.send(packet: Wire.ipv4(from: web.address, to: "10.77.0.1", transport: 1, [8, 0, 0xf7, 0xff, 0, 0, 0, 0]))
        #expect(try web.expect { $0.isICMP }.slice(34..<35) == [0])
    }

    @Test("a refusal comes in pieces neither") func fragments() throws {
        let test = try TestNetwork(hostPorts: [])
        let web = try test.peer("web", 1)
        let (server, port) = try listener()
        let segment = Array(syn(web, port).dropFirst(20))
        for (range, field) in [(0..<16, 0x2000), (16..<20, 2)] as [(Range<Int>, UInt16)] {
            web.send(
                packet: Wire.ipv4(
                    from: web.address, to: "10.77.0.1", transport: 6, Array(segment[range]), fragment: field))
        }
        #expect(try web.expect { $0.isICMP }.slice(34..<36) == [3, 13])
        #expect(accept(server.rawValue, nil, nil) == -1)
    }

    @Test("IPv6 has the same rule, and the same answer", arguments: [true, false]) func overIPv6(isGiven: Bool) throws {
        let (server, port) = try listener(on: "::1")
        let test = try TestNetwork(hostPorts: isGiven ? [.range(port...port, .tcp)] : [], ipv6: true)
        let web = try test.peer("web", 1)
        let source = Wire6.own(1, Wire6.prefix)
        let host = Wire6.address(Wire6.prefix, 2)
        web.send(
            Wire.ethernet(
                to: "52:56:00:00:00:02", from: web.mac, type: 0x86dd,
                Wire6.tcp(from: (source, 40000), to: (host, port), flags: 2)))
        if isGiven {
            let answer = try web.expect { $0.type == 0x86dd && $0.number(20, 1) == 6 }
            #expect(answer.number(67, 1) & 0x12 == 0x12)
        } else {
            // ICMPv6: communication administratively prohibited.
            let answer = try web.expect { $0.type == 0x86dd && $0.number(54, 2) == 0x0101 }
            #expect(answer.slice(22..<54) == host + source)
            #expect(Wire6.isSound(answer))
            #expect(answer.slice(62..<102).suffix(32) == (source + host)[...])
            #expect(accept(server.rawValue, nil, nil) == -1)
        }
    }

    @Test("the log names a refused port once, with the key that opens it") func logged() throws {
        let test = try TestNetwork(hostPorts: [], persistent: true)
        let web = try test.peer("web", 1)
        for _ in 0..<5 { web.send(packet: syn(web, 5432)) }
        web.send(packet: Wire.udp(from: (web.address, 5), to: ("10.77.0.1", 514), [1]))
        // The last words of a connection that the host had made are no try to reach its port.
        web.send(
            packet: Wire.tcp(
                from: (web.address, 22), to: ("10.77.0.1", 57133), sequence: 100, acknowledgement: 7, flags: 0x10))
        #expect(try web.expect { $0.isTCP && $0.flags & 0x04 != 0 }.isSound)
        test.settle()
        let text = String(
            decoding: try FileSystem.read(NetworkConfiguration.logFile(in: test.folder)), as: UTF8.self)
        let lines = text.split(separator: "\n").filter { $0.contains("refused port") }
        #expect(lines.count == 2)
        #expect(lines.first?.contains("web: refused port 5432 of the host; 'host_ports: [5432]'") == true)
        #expect(lines.last?.contains("'host_ports: [514/udp]'") == true)
    }

    @Test("a configuration file keeps what a machine may reach") func saved() throws {
        let test = try TestNetwork(hostPorts: [.range(5432...5432, .tcp), .range(8000...8010, .udp), .all])
        let attachment = try test.attachment("web", 1)
        #expect(try MachineAttachment(json: attachment.json) == attachment)
    }
}
