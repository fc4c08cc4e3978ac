import Glibc
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage
import Testing

@testable import UserNetwork

@Suite struct HostConnectionTests {
    private func client(_ peer: ScriptedPeer) throws -> HostClient {
        HostClient(try UnixSocket.connect(to: try #require(peer.machine.attachment.access)).release())
    }

    private func tcpClient(port: UInt16) throws -> HostClient {
        let address = try #require(SocketAddress("127.0.0.1", port: port))
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #expect(address.withKernelAddress { connect(raw, $0, $1) } == 0)
        return HostClient(raw)
    }

    private func wait(_ client: HostClient, for text: String, _ test: TestNetwork, _ guest: GuestServer? = nil) throws {
        try test.turn {
            guest?.serve()
            client.receive()
            return client.text == text
        }
    }

    @Test("the access socket reaches an open port of the guest, both ways and to the end") func connectAndEcho() throws
    {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let guest = GuestServer(web, open: [22])
        let client = try client(web)
        // A client may send before it is told that it may.
        client.send("CONNECT 22\nearly")
        try wait(client, for: "OK\nearly", test, guest)
        client.finishSending()
        try test.turn {
            guest.serve()
            client.receive()
            return client.ended
        }
        #expect(client.failure == 0)
        #expect(guest.received == Array("early".utf8))
        try test.turn { web.machine.connections.isEmpty }
    }

    @Test("megabytes pass unharmed in both directions at once") func bulk() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let guest = GuestServer(web, open: [5000])
        let client = try client(web)
        client.send("CONNECT 5000\n")
        try wait(client, for: "OK\n", test, guest)
        let data = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11) }
        var sent = 0
        try test.turn(within: 60_000) {
            if sent < data.count { sent += client.send(Array(data[sent..<min(sent + 100_000, data.count)])) }
            guest.serve()
            client.receive()
            return client.received.count == data.count + 3
        }
        #expect(guest.received == data)
        #expect(Array(client.received.dropFirst(3)) == data)
    }

    @Test("a closed port is refused at once") func refused() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let guest = GuestServer(web, open: [])
        let client = try client(web)
        client.send("CONNECT 22\n")
        try wait(client, for: "ERROR the guest refused the connection\n", test, guest)
        #expect(guest.knocks == 1)
    }

    @Test("waiting ends with the first answer of a port that opens, silent or refusing before") func waits() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let guest = GuestServer(web, open: [])
        guest.refuses = false
        let client = try client(web)
        client.send("WAIT 22 20000\n")
        try test.turn {
            guest.serve()
            return guest.knocks >= 3
        }
        guest.refuses = true
        try test.turn {
            guest.serve()
            return guest.knocks >= 6
        }
        guest.openPorts = [22]
        try wait(client, for: "OK\n", test, guest)
        client.send("hello")
        try wait(client, for: "OK\nhello", test, guest)
    }

    @Test("waiting may begin before the machine runs, and gives up in time") func waitsForMachine() throws {
        let test = try TestNetwork()
        let machine = try test.network.add(try test.attachment("web", 1))
        let access = try #require(machine.attachment.access)
        let patient = HostClient(try UnixSocket.connect(to: access).release())
        patient.send("WAIT 22 20000\n")
        let hasty = HostClient(try UnixSocket.connect(to: access).release())
        hasty.send("WAIT 22 150\n")
        try wait(hasty, for: "ERROR the port did not open in time\n", test)
        let once = HostClient(try UnixSocket.connect(to: access).release())
        once.send("CONNECT 22\n")
        try wait(once, for: "ERROR the machine's network is not connected\n", test)
        let web = try ScriptedPeer(machine: machine, number: 1, in: test)
        let guest = GuestServer(web, open: [22])
        try wait(patient, for: "OK\n", test, guest)
    }

    @Test(
        "nonsense on the access socket is answered, not obeyed",
        arguments: [
            "HELLO\n", "CONNECT\n", "CONNECT 0\n", "CONNECT 65536\n", "CONNECT 22 1\n", "WAIT 22\n", "WAIT 22 -1\n",
            "\n", String(repeating: "x", count: 100),
        ])
    func nonsense(request: String) throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let client = try client(web)
        client.send(request)
        try test.turn {
            client.receive()
            return client.ended
        }
        #expect(client.text.hasPrefix("ERROR "))
    }

    @Test("a forwarded port leads to the guest; a closed one is reset; both are reported") func forward() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let guest = GuestServer(web, open: [])
        let port = try test.network.add(PortForward(machine: "web", hostPort: 0, guestPort: 80))
        #expect(port > 0)
        let early = try tcpClient(port: port)
        try test.turn {
            guest.serve()
            early.receive()
            return early.ended
        }
        #expect(early.failure == ECONNRESET)
        #expect(test.network.forwards[0].guestState == .refused)
        guest.openPorts = [80]
        let client = try tcpClient(port: port)
        client.send("GET /")
        try wait(client, for: "GET /", test, guest)
        #expect(test.network.forwards[0].guestState == .open)
        #expect(test.network.forwards[0].connections == 1)
    }

    @Test("a client waits for a guest that is there and has no room, longer than for one from which nothing comes")
    func busyGuest() throws {
        let test = try TestNetwork()
        let (busy, silent) = try (test.peer("busy", 1), test.peer("silent", 2))
        let (first, second) = try (
            test.network.add(PortForward(machine: "busy", hostPort: 0, guestPort: 80)),
            test.network.add(PortForward(machine: "silent", hostPort: 0, guestPort: 80))
        )
        let (patient, hasty) = try (tcpClient(port: first), tcpClient(port: second))
        patient.send("GET /")
        let guest = GuestServer(busy, open: [])
        guest.refuses = false
        // It hears each knock, and is busy with something else.
        try test.turn(within: 20_000) {
            guest.serve()
            _ = busy.send(packet: Wire.udp(from: ("10.77.0.11", 999), to: ("10.77.0.12", 9), [1]))
            silent.receive()
            patient.receive()
            hasty.receive()
            return hasty.ended
        }
        #expect(hasty.failure == ECONNRESET && !patient.ended)
        // Fewer and fewer of them: each is work for it.
        #expect(guest.knocks > 2 && guest.knocks < 12)
        guest.openPorts = [80]
        try test.turn(within: 20_000) {
            guest.serve()
            patient.receive()
            return patient.text == "GET /"
        }
    }

    @Test("a forward survives its guest's reboot, its connections do not") func reboot() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let port = try test.network.add(PortForward(machine: "web", hostPort: 0, guestPort: 80))
        let guest = GuestServer(web, open: [80])
        let client = try tcpClient(port: port)
        client.send("one")
        try wait(client, for: "one", test, guest)
        web.disconnect()
        try test.turn {
            client.receive()
            return client.ended
        }
        #expect(client.failure == ECONNRESET)
        let again = try ScriptedPeer(machine: web.machine, number: 1, in: test)
        try test.turn { web.machine.link != nil }
        let rebooted = GuestServer(again, open: [80])
        let second = try tcpClient(port: port)
        second.send("two")
        try wait(second, for: "two", test, rebooted)
    }

    @Test("a port that another program has is an error that names it") func portTaken() throws {
        let test = try TestNetwork()
        _ = try test.peer("web", 1)
        let taken = try #require(SocketAddress("127.0.0.1", port: 0)).bind(stream: true)
        let forward = PortForward(machine: "web", hostPort: SocketAddress.port(of: taken.rawValue), guestPort: 80)
        #expect(throws: ForwardError.cannotListen(forward, .addressInUse)) { try test.network.add(forward) }
        #expect(throws: ForwardError.unknownMachine("nobody")) {
            try test.network.add(PortForward(machine: "nobody", hostPort: 0, guestPort: 80))
        }
    }

    @Test("a forwarded UDP port carries datagrams of several clients and their answers") func udpForward() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let port = try test.network.add(PortForward(machine: "web", transport: .udp, hostPort: 0, guestPort: 53))
        let address = try #require(SocketAddress("127.0.0.1", port: port))
        var clients: [SharedDescriptor] = []
        for number in 0..<3 as Range<UInt8> {
            let raw = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            clients.append(SharedDescriptor(OwnedDescriptor(owning: raw)))
            #expect(address.withKernelAddress { connect(raw, $0, $1) } == 0)
            #expect(send(raw, [number], 1, 0) == 1)
        }
        for _ in 0..<3 {
            let request = try web.expect { $0.isUDP && $0.destinationPort == 53 }
            #expect(request.isSound)
            let reply = Wire.udp(
                from: (web.address, 53), to: ("10.77.0.1", request.sourcePort), request.udpPayload + [0xaa])
            web.send(packet: reply)
        }
        for (number, client) in clients.enumerated() {
            var buffer: [UInt8] = [0, 0, 0]
            try test.turn { recv(client.rawValue, &buffer, 3, 0) == 2 }
            #expect(buffer == [UInt8(number), 0xaa, 0])
        }
        // Whoever was not asked cannot answer.
        web.send(packet: Wire.udp(from: (web.address, 54), to: ("10.77.0.1", 49152), [1]))
        #expect(test.network.forwards[0].connections == 3)
    }

    @Test("a removed forward closes its port and its connections") func removed() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let forward = PortForward(machine: "web", hostPort: 0, guestPort: 80)
        let port = try test.network.add(forward)
        let guest = GuestServer(web, open: [80])
        let client = try tcpClient(port: port)
        client.send("one")
        try wait(client, for: "one", test, guest)
        test.network.remove(forward)
        try test.turn {
            client.receive()
            return client.ended
        }
        test.settle()
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(raw) }
        let address = try #require(SocketAddress("127.0.0.1", port: port))
        #expect(address.withKernelAddress { connect(raw, $0, $1) } == -1)
    }

    /// Whether this host has IPv6 on its loopback interface.
    private static let hasIPv6 = (try? SocketAddress("::1", port: 0)?.bind(stream: true)) != nil

    @Test("a forward of 127.0.0.1 is at ::1 too", .enabled(if: hasIPv6)) func forwardOfBoth() throws {
        let test = try TestNetwork()
        let web = try test.peer("web", 1)
        let guest = GuestServer(web, open: [80])
        let port = try test.network.add(PortForward(machine: "web", hostPort: 0, guestPort: 80))
        let address = try #require(SocketAddress("::1", port: port))
        let raw = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        let client = HostClient(raw)
        #expect(address.withKernelAddress { connect(raw, $0, $1) } == 0 || errno == EINPROGRESS)
        client.send("six")
        try wait(client, for: "six", test, guest)
        _ = try test.network.add(PortForward(machine: "web", transport: .udp, hostPort: port, guestPort: 53))
        let datagrams = SharedDescriptor(OwnedDescriptor(owning: socket(AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)))
        #expect(address.withKernelAddress { connect(datagrams.rawValue, $0, $1) } == 0)
        #expect(send(datagrams.rawValue, [7], 1, 0) == 1)
        let query = try web.expect { $0.isUDP && $0.destinationPort == 53 }
        web.send(packet: Wire.udp(from: (web.address, 53), to: ("10.77.0.1", query.sourcePort), [8]))
        var byte: UInt8 = 0
        try test.turn { recv(datagrams.rawValue, &byte, 1, Int32(MSG_DONTWAIT)) == 1 }
        #expect(byte == 8)
    }
}
