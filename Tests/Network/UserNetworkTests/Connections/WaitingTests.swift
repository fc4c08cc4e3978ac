import Glibc
import LinuxSystem
import NetworkControl
import Testing

@testable import UserNetwork

/// How often a guest is asked whether a port is open by now.
@Suite struct WaitingTests {
    private let test: TestNetwork
    private let web: ScriptedPeer
    private let guest: GuestServer
    private let client: HostClient

    init() throws {
        test = try TestNetwork()
        web = try test.peer("web", 1)
        guest = GuestServer(web, open: [])
        client = HostClient(try UnixSocket.connect(to: try #require(web.machine.attachment.access)).release())
        client.send("WAIT 22 600000\n")
    }

    private func knocks(_ count: Int) throws {
        try test.turn(within: 60_000) {
            guest.serve()
            return guest.knocks >= count
        }
    }

    /// The pace after so many pauses.
    private func pace(_ pauses: Int) -> Pace {
        var pace = HostConnection.waitPace
        for _ in 0..<pauses { _ = pace.nextMilliseconds() }
        return pace
    }

    private var connection: HostConnection { get throws { try #require(test.network.hostConnections.first) } }

    /// Lets the connection believe that its pauses are over.
    private func refuse(times: Int) throws {
        for _ in 0..<times {
            let before = guest.knocks
            try test.turn {
                guest.serve()
                return guest.knocks > before
            }
            let waiting = try connection
            // A pause may be over by itself, on a busy host: then there was one refusal more.
            try test.turn {
                guest.serve()
                return waiting.isRefused
            }
            waiting.deadlinePassed(try #require(waiting.deadline))
        }
        let waiting = try connection
        try test.turn {
            guest.serve()
            return waiting.isRefused
        }
    }

    private func lease() {
        let wanted = [50, 4] + Wire.address(web.address)
        let request = Wire.dhcp(3, mac: web.mac, options: wanted)
        web.send(
            Wire.ethernet(
                to: "ff:ff:ff:ff:ff:ff", from: web.mac, type: 0x0800,
                Wire.udp(from: ("0.0.0.0", 68), to: ("255.255.255.255", 67), request)))
    }

    @Test("a port that is refused is asked for less and less often, to once a second") func grows() throws {
        var pace = pace(0)
        #expect((0..<3).map { _ in pace.nextMilliseconds() } == [50, 56, 62])
        for _ in 0..<40 { _ = pace.nextMilliseconds() }
        #expect(pace.nextMilliseconds() == 1_000)
        try refuse(times: 6)
        #expect(guest.knocks >= 7)
        #expect(try connection.pace == self.pace(guest.knocks))
    }

    @Test("a lease begins with short pauses again, and does not wait for the long one to end") func leases() throws {
        try refuse(times: 40)
        let waiting = try connection
        #expect(waiting.pace == pace(guest.knocks))
        lease()
        _ = try web.expect { $0.isUDP && $0.sourcePort == 67 }
        test.settle(rounds: 1)
        #expect(waiting.pace == pace(1))
        #expect(try #require(waiting.deadline).milliseconds(since: test.network.now) <= 50)
    }

    @Test("a guest that was silent is asked at once when it asks for an address, and once it has its own")
    func speaks() throws {
        guest.refuses = false
        try knocks(4)
        let arp = Wire.arp(1, sender: (web.mac, web.address), target: ("00:00:00:00:00:00", "10.77.0.1"))
        /// Whether a frame brings the next knock forward, which is a second away.
        func answers(_ frame: [UInt8]) throws -> Bool {
            let session = try #require(try connection.session)
            for _ in 0..<40 {
                session.timerExpired(at: try #require(session.deadline))
                _ = session.nextSegment(at: .now)
            }
            let due = try #require(session.deadline)
            web.send(frame)
            test.settle(rounds: 3)
            return try #require(session.deadline) < due
        }
        #expect(try answers(arp))
        // Who speaks all the time says nothing new.
        #expect(try !answers(arp))
        let own = Wire.arp(1, sender: (web.mac, "0.0.0.0"), target: ("00:00:00:00:00:00", web.address))
        #expect(try answers(own))
    }

    @Test("without a monitor nothing is tried, and its connection is the first try") func monitor() throws {
        try knocks(3)
        let waiting = try connection
        web.disconnect()
        try test.turn { web.machine.link == nil }
        // Nothing wakes the loop before the wait itself ends.
        #expect(try #require(waiting.deadline).milliseconds(since: test.network.now) > 500_000)
        let again = try ScriptedPeer(machine: web.machine, number: 1, in: test)
        let rebooted = GuestServer(again, open: [22])
        try test.turn {
            rebooted.serve()
            client.receive()
            return client.text == "OK\n"
        }
        #expect(waiting.pace == pace(0))
        #expect(rebooted.knocks == 1)
    }
}
