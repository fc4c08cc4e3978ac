import Glibc
import LinuxSystem
import NetworkControl
import Testing

@testable import UserNetwork

/// What a machine that floods leaves to its neighbours, counted in frames and sockets.
@Suite struct FairnessTests {
    private let test: TestNetwork
    private let web: ScriptedPeer
    private let db: ScriptedPeer
    private let upstream: SharedDescriptor

    init() throws {
        upstream = SharedDescriptor(try #require(SocketAddress("127.0.0.1", port: 0)).bind(stream: false))
        let resolver = try #require(SocketAddress("127.0.0.1", port: SocketAddress.port(of: upstream.rawValue)))
        test = try TestNetwork(resolvers: [resolver])
        web = try test.peer("web", 1)
        db = try test.peer("db", 2)
    }

    private func knock(from port: UInt16, to target: (String, UInt16)) -> [UInt8] {
        Wire.tcp(from: (web.address, port), to: target, sequence: 100, acknowledgement: 0, flags: 0x02)
    }

    private func question(_ peer: ScriptedPeer, from port: UInt16) -> [UInt8] {
        Wire.udp(from: (peer.address, port), to: ("10.77.0.1", 53), Wire.dnsQuery("example.org", identifier: port))
    }

    /// Sends what the network finds all at once.
    private func flood(_ packets: [[UInt8]], to mac: String) {
        let frames = packets.map { Wire.ethernet(to: mac, from: web.mac, type: 0x0800, $0) }
        #expect(web.sendRaw(frames.flatMap { Wire.be32($0.count) + $0 }))
    }

    private func asks(_ peer: ScriptedPeer) -> [UInt8] {
        Wire.arp(1, sender: (peer.mac, peer.address), target: ("00:00:00:00:00:00", "10.77.0.1"))
    }

    @Test("a flood of questions for the host's resolvers opens few sockets before the neighbour's turn")
    func questions() throws {
        flood((0..<200).map { question(web, from: 10_000 + $0) }, to: test.gatewayMAC)
        db.send(asks(db))
        test.network.loop.round(limit: 5)
        let perTurn = Station.turn / Station.socketWork
        #expect((1...perTurn).contains(web.machine.pendingQueries.count))
        test.network.loop.round(limit: 0)
        db.receive()
        #expect(db.frames.contains { $0.type == 0x0806 })
        // The rest is only later, and its own question passes the neighbour's.
        db.send(packet: question(db, from: 700))
        let before = web.machine.counters.framesFrom
        try test.turn { !db.machine.pendingQueries.isEmpty }
        #expect(web.machine.counters.framesFrom - before <= 2 * UInt64(perTurn))
        try test.turn { web.machine.counters.framesFrom == 200 }
    }

    @Test("a flood of knocks at the host opens few sockets before the neighbour's turn") func knocks() throws {
        let server = SharedDescriptor(try #require(SocketAddress("127.0.0.1", port: 0)).bind(stream: true))
        let port = SocketAddress.port(of: server.rawValue)
        flood((0..<200).map { knock(from: 10_000 + $0, to: ("10.77.0.1", port)) }, to: test.gatewayMAC)
        db.send(asks(db))
        test.network.loop.round(limit: 5)
        #expect((1...Station.turn / Station.socketWork).contains(web.machine.outside.count))
        test.network.loop.round(limit: 0)
        db.receive()
        #expect(db.frames.contains { $0.type == 0x0806 })
        try test.turn { web.machine.outside.count == 200 }
    }

    @Test("frames of a flood at a machine are passed by those of others, and the sender waits") func neighbours() throws
    {
        let cache = try test.peer("cache", 3)
        let link = try #require(db.machine.link)
        let sender = FrameQueue.Sender(web.machine)
        let knock = knock(from: 1, to: (db.address, 80))
        try test.turn {
            web.send(packet: knock, to: db)
            return link.isCongested(for: sender)
        }
        let waiting = link.output.count(of: sender) / (4 + 14 + knock.count)
        #expect(waiting > 1_000)
        cache.send(packet: Wire.udp(from: (cache.address, 1), to: (db.address, 2), [7]), to: db)
        try test.turn { cache.machine.counters.framesFrom == 1 }
        #expect(link.isCongested(for: sender))
        try test.turn {
            db.receive()
            return link.queued == 0
        }
        db.receive()
        let place = try #require(db.frames.firstIndex { $0.udpPayload == [7] })
        // Before it came what had been on its way, and what was put in order already.
        #expect(db.frames.count - place > waiting - 200)
    }

    @Test("the lines of a queue are served by bytes, whoever came first and whatever the frames' sizes") func lines() {
        let queue = FrameQueue()
        let senders = [web, db].map { FrameQueue.Sender($0.machine) }
        func append(_ index: Int, _ count: Int, times: Int) {
            let frame = [UInt8](repeating: UInt8(index), count: count)
            for _ in 0..<times {
                queue.append(frame.span.bytes, UnsafeRawBufferPointer(start: nil, count: 0), from: senders[index])
            }
        }
        func take(_ times: Int) -> [UInt8] {
            (0..<times).compactMap { _ in
                let first = queue.withFirst { $0[4] }
                queue.removeFirst()
                return first
            }
        }
        append(0, 996, times: 20)
        #expect(take(5) == [0, 0, 0, 0, 0])
        // A newcomer has no credit for the time before.
        append(1, 96, times: 30)
        let order = take(22)
        #expect(order.count { $0 == 0 } == 2)
        #expect(order.first == 1 || order[1] == 1)
        #expect(queue.count == 13 * 1_000 + 10 * 100)
        #expect(queue.senders == 2)
        #expect(take(23).count { $0 == 0 } == 13)
        #expect(queue.count == 0 && queue.senders == 0)
        #expect(take(1).isEmpty)
    }

    @Test("a frame that has begun is ended before another's begins") func begun() {
        let queue = FrameQueue()
        func append(_ frame: [UInt8], _ sender: FrameQueue.Sender = .network) {
            queue.append(frame.span.bytes, UnsafeRawBufferPointer(start: nil, count: 0), from: sender)
        }
        for frame in [[1, 1, 1], [2, 2, 2, 2, 2], [3]] as [[UInt8]] { append(frame) }
        // One whole frame, and two bytes of the next one's length.
        #expect(queue.useOnlyLine { _ in 9 } == 9)
        #expect(queue.useOnlyLine { $0.first == 0 && $0[1] == 5 ? 3 : 0 } == 3)
        #expect(queue.useOnlyLine { _ in -1 } == -1)
        #expect(queue.count == 4 + 5)
        append([4], FrameQueue.Sender(web.machine))
        #expect(queue.useOnlyLine { _ in 1 } == 0)
        var order: [[UInt8]] = []
        while let bytes = queue.withFirst({ Array($0) }) {
            order.append(bytes)
            queue.removeFirst()
        }
        #expect(order == [[2, 2, 2, 2], [0, 0, 0, 1, 4], [0, 0, 0, 1, 3]])
        #expect(queue.count == 0)
    }
}
