import Glibc
import LinuxSystem
import NetworkControl
import Testing

@testable import UserNetwork

@Suite struct DNSTests {
    private func ask(_ peer: ScriptedPeer, _ query: [UInt8]) throws -> [UInt8] {
        peer.send(packet: Wire.udp(from: (peer.address, 5353), to: ("10.77.0.1", 53), query))
        let reply = try peer.expect { $0.isUDP && $0.sourcePort == 53 && $0.destinationPort == 5353 }
        #expect(reply.isSound)
        return reply.udpPayload
    }

    private func code(_ message: [UInt8]) -> UInt8 { message.count > 3 ? message[3] & 0x0f : 0xff }

    @Test(
        "machines, their aliases and the host have names",
        arguments: [
            ("web", "10.77.0.11"), ("WEB.shop.internal", "10.77.0.11"), ("web-alias", "10.77.0.11"),
            ("db.shop.internal", "10.77.0.12"), ("host.internal", "10.77.0.1"),
        ])
    func names(name: String, address: String) throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        _ = try test.peer("db", 2)
        let reply = try ask(web, Wire.dnsQuery(name))
        #expect(Array(reply[0..<2]) == [0xbe, 0xef])
        #expect(code(reply) == 0)
        #expect(Array(reply.suffix(6)) == [0, 4] + Wire.address(address))
        // The question comes back letter by letter.
        #expect(Array(reply[12..<12 + name.utf8.count + 6]) == Array(Wire.dnsQuery(name).dropFirst(12)))
    }

    @Test("an address leads back to its machine") func reverse() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let reply = try ask(web, Wire.dnsQuery("11.0.77.10.in-addr.arpa", type: 12))
        let name = [3] + Array("web".utf8) + [4] + Array("shop".utf8) + [8] + Array("internal".utf8) + [0]
        #expect(Array(reply.suffix(name.count)) == name)
        #expect(code(try ask(web, Wire.dnsQuery("99.0.77.10.in-addr.arpa", type: 12))) == 3)
    }

    @Test("an unknown name of the environment does not exist; a known one has no other records") func negative() throws
    {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        #expect(code(try ask(web, Wire.dnsQuery("nobody.shop.internal"))) == 3)
        let other = try ask(web, Wire.dnsQuery("web.shop.internal", type: 28))
        #expect(code(other) == 0)
        #expect(Array(other[6..<8]) == [0, 0])
    }

    @Test("other names go to the host's resolver, and its answer comes back under the guest's number") func forwarded()
        throws
    {
        let address = try #require(SocketAddress("127.0.0.1", port: 0))
        let server = try address.bind(stream: false)
        let port = SocketAddress.port(of: server.rawValue)
        let test = try TestNetwork(resolvers: [try #require(SocketAddress("127.0.0.1", port: port))])
        let web = try test.peer("web", 1)
        web.send(packet: Wire.udp(from: (web.address, 5353), to: ("10.77.0.1", 53), Wire.dnsQuery("example.org")))
        var query = [UInt8](repeating: 0, count: 512)
        var storage = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var count = 0
        try test.turn {
            count = withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(server.rawValue, &query, query.count, Int32(MSG_DONTWAIT), $0, &length)
                }
            }
            return count > 0
        }
        func reply(_ bytes: [UInt8]) {
            _ = withUnsafePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(server.rawValue, bytes, bytes.count, 0, $0, length)
                }
            }
        }
        let question = Array(query[12..<count])
        // Somebody who does not know the number, or answers another question, is not believed.
        reply([query[0] ^ 1, query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0] + question)
        reply(
            Array(query[0..<2]) + [0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0]
                + Array(Wire.dnsQuery("example.com").dropFirst(12)))
        reply(
            Array(query[0..<2]) + [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + question + [
                0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 9, 8, 7, 6,
            ])
        let answer = try web.expect { $0.isUDP }.udpPayload
        #expect(Array(answer[0..<2]) == [0xbe, 0xef])
        #expect(Array(answer.suffix(4)) == [9, 8, 7, 6])
        #expect(web.machine.queries == 0)
    }

    @Test("a resolver that is not there makes the guest's question fail, not wait") func noResolver() throws {
        let address = try #require(SocketAddress("127.0.0.1", port: 0))
        let port = SocketAddress.port(of: try address.bind(stream: false).rawValue)
        let test = try TestNetwork(resolvers: [try #require(SocketAddress("127.0.0.1", port: port))])
        let web = try test.peer("web", 1)
        #expect(code(try ask(web, Wire.dnsQuery("example.org"))) == 2)
    }

    @Test("without the Internet no question leaves the environment") func withoutInternet() throws {
        let address = try #require(SocketAddress("127.0.0.1", port: 0))
        let server = try address.bind(stream: false)
        let resolver = try #require(SocketAddress("127.0.0.1", port: SocketAddress.port(of: server.rawValue)))
        let test = try TestNetwork(internet: false, resolvers: [resolver])
        let web = try test.peer("web", 1)
        #expect(code(try ask(web, Wire.dnsQuery("secret.example.org"))) == 3)
        var byte: UInt8 = 0
        #expect(recv(server.rawValue, &byte, 1, Int32(MSG_DONTWAIT)) == -1)
        #expect(code(try ask(web, Wire.dnsQuery("host.internal"))) == 0)
    }

    @Test("reads resolv.conf as the C library does") func resolverConfiguration() throws {
        let text =
            "# nameserver 9.9.9.9\nsearch x\nnameserver 1.1.1.1\n nameserver  2001:db8::1 \nnameserver bad\nnameserver 2.2.2.2\nnameserver 3.3.3.3\n"
        let expected = ["1.1.1.1", "2001:db8::1", "2.2.2.2"].map { SocketAddress($0, port: 53) }
        #expect(ResolverConfiguration.parse(text).map { $0 } == expected.compactMap { $0 })
        #expect(ResolverConfiguration.parse("") == [try #require(SocketAddress("127.0.0.1", port: 53))])
    }

    @Test("every truncation and a looping name are harmless") func malformed() throws {
        let query = Wire.dnsQuery("web.shop.internal")
        for count in 0..<query.count { #expect(DNSQuestion(Array(query.prefix(count)).span.bytes) == nil) }
        let looping = Array(query.prefix(12)) + [0xc0, 12, 0, 1, 0, 1]
        #expect(DNSQuestion(looping.span.bytes) == nil)
        let endless = Array(query.prefix(12)) + [UInt8](repeating: 63, count: 4000)
        #expect(DNSQuestion(endless.span.bytes) == nil)
        var response = query
        response[2] |= 0x80
        #expect(DNSQuestion(response.span.bytes) == nil)
    }

    @Test("an answer of the network's own has options when the question had") func options() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        var query = Wire.dnsQuery("web")
        query.replaceSubrange(10..<12, with: [0, 1])
        query += [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]
        let reply = try ask(web, query)
        #expect(Array(reply[10..<12]) == [0, 1])
        #expect(Array(reply.suffix(11)) == [0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0])
        #expect(Array(try ask(web, Wire.dnsQuery("web"))[10..<12]) == [0, 0])
    }

    @Test("other operations and other classes are refused, not ignored") func otherOperations() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        for operation in [4, 5] as [UInt8] {
            var message = Wire.dnsQuery("web")
            message[2] = operation << 3
            let reply = try ask(web, message)
            #expect(code(reply) == 4 && reply[2] == 0x80 | operation << 3)
        }
        var chaos = Wire.dnsQuery("version.bind", type: 16)
        chaos[chaos.count - 1] = 3
        let reply = try ask(web, chaos)
        #expect(code(reply) == 5)
        #expect(Array(reply.dropFirst(12)) == Array(chaos.dropFirst(12)))
    }

    @Test("questions that nobody answers do not keep the guest's others waiting") func silentResolver() throws {
        let address = try #require(SocketAddress("127.0.0.1", port: 0))
        let server = try address.bind(stream: false)
        let port = SocketAddress.port(of: server.rawValue)
        let test = try TestNetwork(resolvers: [try #require(SocketAddress("127.0.0.1", port: port))])
        let web = try test.peer("web", 1)
        for number in 0..<UInt16(Network.queryLimit) {
            let query = Wire.dnsQuery("slow\(number).example.org")
            web.send(packet: Wire.udp(from: (web.address, 10_000 + number), to: ("10.77.0.1", 53), query))
        }
        try test.turn { web.machine.queries == Network.queryLimit }
        let query = Wire.dnsQuery("fast.example.org")
        web.send(packet: Wire.udp(from: (web.address, 5_353), to: ("10.77.0.1", 53), query))
        // The oldest is given up in its favour.
        let failed = try web.expect { $0.isUDP && $0.destinationPort == 10_000 }
        #expect(code(failed.udpPayload) == 2)
        var buffer = [UInt8](repeating: 0, count: 512)
        try test.turn {
            let count = recv(server.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            return count > 16 && Array(buffer[13..<17]) == Array("fast".utf8)
        }
    }

    @Test("the host's search domains are read as the C library does") func searchDomains() {
        #expect(ResolverConfiguration.searchDomains("domain a.org\nsearch b.org\tc.org .\n") == ["b.org", "c.org"])
        #expect(ResolverConfiguration.searchDomains("nameserver 1.1.1.1\n") == [])
    }
}
