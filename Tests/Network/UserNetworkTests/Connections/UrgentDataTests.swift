import Glibc
import LinuxSystem
import NetworkControl
import Testing

@testable import UserNetwork

/// Urgent data is in line (RFC 6093): its byte is one of the stream, in its place, wherever it comes from.
@Suite struct UrgentDataTests {
    private let test: TestNetwork
    private let web: ScriptedPeer

    init() throws {
        test = try TestNetwork()
        web = try test.peer("web", 1)
    }

    @Test("a client's urgent byte reaches the guest in its place, and the guest's the client") func forward() throws {
        let guest = GuestServer(web, open: [80])
        guest.echoes = false
        let port = try test.network.add(PortForward(machine: "web", hostPort: 0, guestPort: 80))
        let raw = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        #expect(try #require(SocketAddress("127.0.0.1", port: port)).withKernelAddress { connect(raw, $0, $1) } == 0)
        let client = HostClient(raw)
        // Before anybody has looked at the connection: the network accepts it with this in it.
        client.send("one ")
        #expect(send(raw, "!", 1, CInt(MSG_OOB)) == 1)
        client.send(" two ")
        try test.turn {
            guest.serve()
            return guest.received == Array("one ! two ".utf8)
        }
        #expect(send(raw, "?", 1, CInt(MSG_OOB)) == 1)
        client.send(" three")
        try test.turn {
            guest.serve()
            return guest.received == Array("one ! two ? three".utf8)
        }
        guest.say(urgently: Array("guest!".utf8))
        guest.say(urgently: Array(" again?".utf8))
        try test.turn {
            client.receive()
            return client.text == "guest! again?"
        }
    }

    @Test("a guest's urgent byte reaches the host in its place, and the host's the guest") func outside() throws {
        let listener = SharedDescriptor(try #require(SocketAddress("127.0.0.1", port: 0)).bind(stream: true))
        let port = SocketAddress.port(of: listener.rawValue)
        web.send(
            packet: Wire.tcp(
                from: (web.address, 700), to: ("10.77.0.1", port), sequence: 100, acknowledgement: 0, flags: 0x02))
        let welcome = try web.expect { $0.isTCP && $0.flags & 0x12 == 0x12 }
        func say(_ text: String, at sequence: UInt32) {
            web.send(
                packet: Wire.tcp(
                    from: (web.address, 700), to: ("10.77.0.1", port), sequence: sequence,
                    acknowledgement: welcome.sequence &+ 1, flags: 0x38, urgent: UInt16(text.utf8.count),
                    Array(text.utf8)))
        }
        say("guest!", at: 101)
        var raw: CInt = -1
        try test.turn {
            raw = accept(listener.rawValue, nil, nil)
            return raw >= 0
        }
        let server = HostClient(raw)
        say(" again?", at: 107)
        try test.turn {
            server.receive()
            return server.text == "guest! again?"
        }
        #expect(send(raw, "!", 1, CInt(MSG_OOB)) == 1)
        server.send(" host")
        var heard: [UInt8] = []
        try test.turn {
            web.receive()
            for frame in web.frames where frame.isTCP && frame.sequence == welcome.sequence &+ 1 &+ UInt32(heard.count)
            {
                heard += frame.tcpPayload
            }
            return heard == Array("! host".utf8)
        }
    }
}
