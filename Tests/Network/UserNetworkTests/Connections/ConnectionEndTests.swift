import Glibc
import LinuxSystem
import NetworkControl
import Testing

@testable import UserNetwork

/// How connections from the host to a guest end, from either side.
@Suite struct ConnectionEndTests {
    private let test: TestNetwork
    private let web: ScriptedPeer
    private let guest: GuestServer

    init() throws {
        test = try TestNetwork()
        web = try test.peer("web", 1)
        guest = GuestServer(web, open: [22])
    }

    private func client(_ request: String = "CONNECT 22\n") throws -> HostClient {
        let client = HostClient(try UnixSocket.connect(to: try #require(web.machine.attachment.access)).release())
        client.send(request)
        return client
    }

    private func opened() throws -> HostClient {
        let client = try client()
        try turn(client) { client.text == "OK\n" }
        return client
    }

    private func turn(_ client: HostClient, until condition: () -> Bool) throws {
        try test.turn(within: 20_000) {
            guest.serve()
            client.receive()
            return condition()
        }
    }

    @Test("the guest's closing ends one direction only; the other carries on until the client has closed it")
    func guestCloses() throws {
        guest.echoes = false
        let client = try opened()
        guest.close(saying: Array("bye".utf8))
        try turn(client) { client.ended }
        #expect(client.text == "OK\nbye")
        #expect(client.failure == 0)
        client.send("and you")
        try turn(client) { guest.received == Array("and you".utf8) }
        client.finishSending()
        try turn(client) { web.machine.connections.isEmpty }
        #expect(guest.isClosed)
    }

    @Test("a reset by the guest ends the connection at once") func guestResets() throws {
        let client = try opened()
        guest.reset()
        try turn(client) { client.ended }
        #expect(client.text == "OK\n")
        #expect(web.machine.connections.isEmpty)
    }

    @Test("a machine that goes away takes its connections along") func machineGoes() throws {
        let client = try opened()
        web.disconnect()
        try test.turn {
            client.receive()
            return client.ended
        }
        #expect(web.machine.connections.isEmpty)
        test.settle()
        #expect(test.network.hostConnections.isEmpty)
    }

    @Test("everything that a client says arrives, also if it hears nothing meanwhile and ends first") func silentEnd()
        throws
    {
        // The guest echoes what the client does not take: both directions are full in between.
        let client = try opened()
        let data = (0..<6_000_000).map { UInt8(truncatingIfNeeded: $0 &* 29 &+ $0 >> 9) }
        var sent = 0
        try test.turn(within: 20_000) {
            sent += client.send(Array(data[sent..<min(sent + 50_000, 700_000)]))
            guest.serve()
            return guest.received.count == 700_000
        }
        var quiet = 0
        try test.turn(within: 20_000) {
            let count = client.send(Array(data[sent..<min(sent + 50_000, data.count)]))
            sent += count
            quiet = count == 0 ? quiet + 1 : 0
            return quiet > 20
        }
        #expect(sent < data.count)
        client.finishSending()
        try turn(client) { client.ended }
        #expect(guest.received == Array(data[..<sent]))
        #expect(Array(client.received.dropFirst(3)) == Array(data[..<sent]))
    }

    @Test("a guest that keeps a connection open whose client has gone loses it after a while") func orphan() throws {
        guest.closesToo = false
        var client: HostClient? = try opened()
        client = nil
        #expect(client == nil)
        try test.turn {
            guest.serve()
            return guest.isClosed
        }
        test.settle()
        let connection = try #require(test.network.hostConnections.first)
        let end = try #require(connection.deadline)
        connection.deadlinePassed(end.advanced(byMilliseconds: HostConnection.orphanLimit))
        try test.turn {
            guest.serve()
            return guest.resets == 1
        }
        #expect(test.network.hostConnections.isEmpty)
    }

    @Test("a client that has gone is not waited for any longer, with or without a machine", arguments: [true, false])
    func patientClientGoes(connected: Bool) throws {
        guest.openPorts = []
        if !connected {
            web.disconnect()
            try test.turn { web.machine.link == nil }
        }
        var client: HostClient? = try client("WAIT 22 600000\nearly")
        try test.turn { test.network.hostConnections.count == 1 }
        client = nil
        #expect(client == nil)
        try test.turn {
            guest.serve()
            return test.network.hostConnections.isEmpty
        }
    }

    @Test("what a client says before the machine is there is said when it is") func earlyWords() throws {
        web.disconnect()
        try test.turn { web.machine.link == nil }
        let client = try client("WAIT 22 20000\nearly")
        test.settle()
        let again = try ScriptedPeer(machine: web.machine, number: 1, in: test)
        let rebooted = GuestServer(again, open: [22])
        try test.turn {
            rebooted.serve()
            client.receive()
            return client.text == "OK\nearly"
        }
    }

    @Test("an answer that came just before the machine went away opens nothing") func lateAnswer() throws {
        let client = try client("WAIT 22 20000\n")
        try test.turn {
            web.receive()
            return !web.frames.isEmpty
        }
        guest.serve()
        // One round reads the answer; the link is lost before what it means is acted upon.
        try test.turn { test.network.hostConnections.first?.isScheduled ?? false }
        let link = try #require(web.machine.link)
        test.network.disconnect(web.machine, link, reason: "the test says so")
        test.settle()
        client.receive()
        #expect(client.text == "")
        let again = try ScriptedPeer(machine: web.machine, number: 1, in: test)
        let rebooted = GuestServer(again, open: [22])
        try test.turn {
            rebooted.serve()
            client.receive()
            return client.text == "OK\n"
        }
    }

    @Test("a client that was gone for long makes room for the next, and a silent half-open connection ends by itself")
    func silence() throws {
        guest.closesToo = false
        guest.echoes = false
        guest.openPorts = [80]
        let port = try test.network.add(PortForward(machine: "web", hostPort: 0, guestPort: 80))
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #expect(try #require(SocketAddress("127.0.0.1", port: port)).withKernelAddress { connect(raw, $0, $1) } == 0)
        let client = HostClient(raw)
        client.send("all that I say")
        client.finishSending()
        try turn(client) { guest.isClosed }
        test.settle()
        let connection = try #require(test.network.hostConnections.first)
        // Its client may still listen: nothing happens yet.
        #expect(!test.network.makeRoom(for: web.machine))
        #expect(connection.orphanedSince != nil)
        let end = try #require(connection.deadline)
        connection.deadlinePassed(end.advanced(byMilliseconds: RelayedConnection.silenceLimit))
        try turn(client) { guest.resets == 1 && client.ended }
        #expect(client.failure == ECONNRESET)
        #expect(test.network.hostConnections.isEmpty)
    }
}
