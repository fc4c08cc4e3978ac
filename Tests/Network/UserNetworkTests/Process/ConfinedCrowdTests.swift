import Glibc
import LinuxSystem
import NetworkControl
import SystemPackage
import Testing

@testable import UserNetwork

/// Many clients of one forward, through the process that ships.
@Suite struct ConfinedCrowdTests {
    private let environment: NetworkEnvironment

    init() throws {
        OpenFileLimit.raise()
        environment = try NetworkEnvironment()
    }

    /// Looks until `condition` holds.
    private func wait(
        _ location: Testing.SourceLocation = #_sourceLocation, until condition: () throws -> Bool
    ) throws {
        let limit = MonotonicClock.now.advanced(byMilliseconds: 120_000)
        while !(try condition()) {
            guard MonotonicClock.now < limit else {
                Issue.record("what the test waits for did not happen", sourceLocation: location)
                throw SystemError("wait", nil, .timedOut)
            }
            usleep(500)
        }
    }

    private func client(_ port: UInt16) throws -> HostClient {
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        _ = try #require(SocketAddress("127.0.0.1", port: port)).withKernelAddress { connect(raw, $0, $1) }
        return HostClient(raw)
    }

    /// What a client says, and hears again.
    private func text(_ number: Int) -> String { String(repeating: "client \(number)\n", count: 400) }

    /// Lets each client say its text, and expects the whole of it as the answer, and the end.
    private func talk(_ clients: [HostClient], _ guest: GuestServer) throws {
        var rests = clients.indices.map { Array(text($0).utf8)[...] }
        var unfinished = Set(clients.indices)
        try wait {
            for index in unfinished {
                let client = clients[index]
                if !rests[index].isEmpty {
                    rests[index].removeFirst(client.send(Array(rests[index])))
                    if rests[index].isEmpty { client.finishSending() }
                }
                client.receive()
            }
            guest.serve()
            unfinished = unfinished.filter { !clients[$0].ended }
            return unfinished.isEmpty
        }
        #expect(clients.allSatisfy { $0.failure == 0 })
        #expect(clients.indices.allSatisfy { clients[$0].text == text($0) })
    }

    @Test("a thousand clients are connected at the same time, and each gets its whole answer") func thousand() throws {
        #expect(try environment.start())
        let guest = GuestServer(
            try AttachedGuest(environment.configuration.machines[0].socket), open: [80])
        var control = try NetworkClient.connect(folder: environment.configuration.folder)
        let port = try control.add(PortForward(machine: "web", hostPort: 0, guestPort: 80))
        let clients = try (0..<1_000).map { _ in try client(port) }
        try wait {
            guest.serve()
            return guest.connectionCount == 1_000
        }
        #expect(try control.status().forwards.first?.connections == 1_000)
        try talk(clients, guest)
        try wait {
            guest.serve()
            return try control.status().forwards.first?.connections == 0
        }
    }

    @Test("one client more than there is room for is refused, and the others never notice") func limit() throws {
        let openFiles = 200
        let budget = DescriptorBudget(limit: openFiles)
        let account = budget.account()
        while account.mayTakeClient { account.open += 1 }
        #expect(try environment.start(openFiles: openFiles))
        let guest = GuestServer(
            try AttachedGuest(environment.configuration.machines[0].socket), open: [80])
        var control = try NetworkClient.connect(folder: environment.configuration.folder)
        let port = try control.add(PortForward(machine: "web", hostPort: 0, guestPort: 80))
        let clients = try (0..<account.used).map { _ in try client(port) }
        try wait {
            guest.serve()
            return guest.connectionCount == clients.count
        }
        let surplus = try client(port)
        try wait {
            guest.serve()
            surplus.receive()
            return surplus.ended
        }
        #expect(surplus.failure == ECONNRESET)
        #expect(environment.log.contains("port \(port) refuses clients"))
        try talk(clients, guest)
        // Their room is there again.
        let next = try client(port)
        try talk([next], guest)
    }
}
