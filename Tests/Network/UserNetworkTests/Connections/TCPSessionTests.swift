import LinuxSystem
import TestSupport
import Testing

@testable import UserNetwork

@Suite struct TCPSessionTests {
    private let start = MonotonicClock.now
    private func at(_ milliseconds: Int64) -> MonotonicClock { start.advanced(byMilliseconds: milliseconds) }

    private func session() -> TCPSession {
        TCPSession(
            localPort: 50000, remotePort: 22, initialSequence: .max - 5, mtu: 1500,
            knocks: Pace(first: .milliseconds(50), growing: 2, most: .milliseconds(300)), now: start)
    }

    private func header(
        _ flags: TCPHeader.Flags, _ sequence: UInt32, _ acknowledgement: UInt32, window: UInt16 = 60000,
        segmentSize: UInt16? = nil
    ) -> TCPHeader {
        TCPHeader(
            source: 22, destination: 50000, sequence: sequence, acknowledgement: acknowledgement, flags: flags,
            window: window, maximumSegmentSize: segmentSize)
    }

    /// A session whose guest has answered; the guest's next byte is number 1001, the host's is `.max - 4`.
    private func opened(window: UInt16 = 60000) -> TCPSession {
        let session = session()
        _ = session.nextSegment(at: start)
        _ = session.receive(
            header([.syn, .ack], 1000, .max - 4, window: window, segmentSize: 1000), payload: 0, at: at(1))
        _ = session.nextSegment(at: at(1))
        return session
    }

    private func queue(_ session: TCPSession, _ count: Int) {
        session.sendQueue.append([UInt8](repeating: 7, count: count).span.bytes)
    }

    private func drain(_ session: TCPSession, at now: MonotonicClock) -> [(header: TCPHeader, payload: Range<Int>)] {
        var segments: [(header: TCPHeader, payload: Range<Int>)] = []
        while segments.count < 1000, let segment = session.nextSegment(at: now) { segments.append(segment) }
        return segments
    }

    @Test("knocks at its interval until the guest answers") func knocking() throws {
        let session = session()
        let first = try #require(session.nextSegment(at: start))
        #expect(first.header.flags == [.syn])
        #expect(first.header.maximumSegmentSize == 1460)
        #expect(session.nextSegment(at: at(10)) == nil)
        #expect(session.deadline == at(50))
        session.timerExpired(at: at(50))
        #expect(try #require(session.nextSegment(at: at(50))).header.sequence == first.header.sequence)
        _ = session.receive(header([.syn, .ack], 9, .max - 4), payload: 0, at: at(51))
        #expect(session.state == .open)
        #expect(try #require(session.nextSegment(at: at(51))).header.acknowledgement == 10)
        #expect(session.deadline == nil)
    }

    @Test("knocks less and less often while nobody answers, and often again when told that somebody may hear")
    func knockingPace() throws {
        let session = session()
        var now = start
        func pauses(_ count: Int) throws -> [Int64] {
            try (0..<count).map { _ in
                _ = try #require(session.nextSegment(at: now))
                let next = try #require(session.deadline)
                defer { now = next }
                session.timerExpired(at: next)
                return next.milliseconds(since: now)
            }
        }
        #expect(try pauses(5) == [50, 100, 200, 300, 300])
        _ = session.nextSegment(at: now)
        now = now.advanced(byMilliseconds: 7)
        session.knockAgain()
        #expect(try pauses(3) == [50, 100, 200])
    }

    @Test("a refusal counts only if it answers this very attempt") func refusal() {
        let session = session()
        _ = session.nextSegment(at: start)
        _ = session.receive(header([.rst, .ack], 0, 12345), payload: 0, at: start)
        #expect(session.state == .connecting)
        _ = session.receive(header([.rst, .ack], 0, .max - 4), payload: 0, at: start)
        #expect(session.state == .failed(.refused))
    }

    @Test("sends no more than the guest's window and segment size allow, and no small pieces of a large rest")
    func window() {
        let session = opened(window: 2500)
        queue(session, 10_000)
        let segments = drain(session, at: at(2))
        #expect(segments.map(\.payload) == [0..<1000, 1000..<2000])
        _ = session.receive(header([.ack], 1001, (.max - 4) &+ 2000, window: 900), payload: 0, at: at(3))
        #expect(session.sendQueue.count == 8000)
        #expect(drain(session, at: at(3)).map(\.payload) == [0..<900])
    }

    @Test("asks about a closed window until it opens") func persist() throws {
        let session = opened(window: 1000)
        queue(session, 3000)
        _ = drain(session, at: at(2))
        _ = session.receive(header([.ack], 1001, (.max - 4) &+ 1000, window: 0), payload: 0, at: at(3))
        #expect(drain(session, at: at(3)).isEmpty)
        let deadline = try #require(session.deadline)
        session.timerExpired(at: deadline)
        let probe = try #require(session.nextSegment(at: deadline))
        #expect(probe.header.sequence == (UInt32.max - 5) &+ 1000)
        #expect(probe.payload.isEmpty)
        _ = session.receive(header([.ack], 1001, (.max - 4) &+ 1000, window: 5000), payload: 0, at: deadline)
        #expect(drain(session, at: deadline).map(\.payload) == [0..<1000, 1000..<2000])
    }

    @Test("sends again what is not acknowledged, later and later") func retransmission() throws {
        let session = opened()
        queue(session, 1500)
        _ = drain(session, at: at(2))
        var waits: [Int64] = []
        var now = at(2)
        for _ in 0..<4 {
            let deadline = try #require(session.deadline)
            waits.append(deadline.milliseconds(since: now))
            now = deadline
            session.timerExpired(at: now)
            #expect(drain(session, at: now).map(\.payload) == [0..<1000, 1000..<1500])
        }
        #expect(waits == [200, 400, 800, 1600])
        _ = session.receive(header([.ack], 1001, (.max - 4) &+ 1500), payload: 0, at: now)
        #expect(session.deadline == nil)
        #expect(session.isDrained)
    }

    @Test("three repeated acknowledgements bring the lost segment at once") func fastRetransmit() {
        let session = opened()
        queue(session, 3000)
        _ = drain(session, at: at(2))
        for _ in 0..<3 { _ = session.receive(header([.ack], 1001, .max - 4), payload: 0, at: at(3)) }
        #expect(drain(session, at: at(3)).map(\.payload) == [0..<1000, 1000..<2000, 2000..<3000])
    }

    @Test("takes data in order only, and what overlaps once") func ordering() throws {
        let session = opened()
        #expect(session.receive(header([.ack], 1101, .max - 4), payload: 100, at: at(2)).isEmpty)
        #expect(try #require(session.nextSegment(at: at(2))).header.acknowledgement == 1001)
        #expect(session.receive(header([.ack], 1001, .max - 4), payload: 100, at: at(2)) == 0..<100)
        #expect(session.receive(header([.ack], 1051, .max - 4), payload: 100, at: at(2)) == 50..<100)
        #expect(session.receive(header([.ack], 1001, .max - 4), payload: 100, at: at(2)).isEmpty)
        #expect(try #require(session.nextSegment(at: at(2))).header.acknowledgement == 1151)
    }

    @Test("closing waits for all data, and ends when both sides have closed") func closing() throws {
        let session = opened()
        queue(session, 500)
        session.close()
        let last = try #require(session.nextSegment(at: at(2)))
        #expect(last.payload == 0..<500)
        #expect(last.header.flags.contains(.fin))
        #expect(session.nextSegment(at: at(2)) == nil)
        _ = session.receive(header([.ack], 1001, (.max - 4) &+ 501), payload: 0, at: at(3))
        #expect(session.isDrained)
        #expect(session.receive(header([.ack, .fin], 1001, (.max - 4) &+ 501), payload: 20, at: at(4)) == 0..<20)
        #expect(session.remoteClosed)
        #expect(try #require(session.nextSegment(at: at(4))).header.acknowledgement == 1022)
        session.settle()
        #expect(session.state == .finished)
    }

    @Test("the last acknowledgement counts whatever segment brings it") func lastAcknowledgement() throws {
        let session = opened()
        session.close()
        _ = session.nextSegment(at: at(2))
        // The guest closes before it has seen our closing, and again with its acknowledgement.
        _ = session.receive(header([.ack, .fin], 1001, .max - 4), payload: 0, at: at(3))
        #expect(try #require(session.nextSegment(at: at(3))).header.acknowledgement == 1002)
        _ = session.receive(header([.ack, .fin], 1001, (.max - 4) &+ 1), payload: 0, at: at(4))
        while session.nextSegment(at: at(4)) != nil {}
        session.settle()
        #expect(session.state == .finished)
    }

    @Test("patience begins when the guest owes an answer, not with its last one") func patienceAfterSilence() throws {
        let session = opened()
        let idle = TCPSession.patience + 60_000
        queue(session, 100)
        _ = drain(session, at: at(idle))
        session.timerExpired(at: at(idle + 2_000))
        #expect(session.state == .open)
        #expect(drain(session, at: at(idle + 2_000)).map(\.payload) == [0..<100])
        session.timerExpired(at: at(2 * idle + 20_000))
        #expect(session.state == .failed(.timedOut))
    }

    @Test("a guest's old connection of the same ports is reset, then the next knock is heard") func oldConnection()
        throws
    {
        let session = session()
        _ = session.nextSegment(at: start)
        _ = session.receive(header([.ack], 777, 4_242), payload: 0, at: at(1))
        let reset = try #require(session.nextSegment(at: at(1)))
        #expect(reset.header.flags == [.rst])
        #expect(reset.header.sequence == 4_242)
        #expect(session.nextSegment(at: at(1)) == nil)
        session.timerExpired(at: at(50))
        #expect(try #require(session.nextSegment(at: at(50))).header.flags == [.syn])
        _ = session.receive(header([.syn, .ack], 9, .max - 4), payload: 0, at: at(51))
        #expect(session.state == .open)
    }

    @Test("what was sent twice for nothing is not sent a third time") func needlessRepetition() {
        let session = opened()
        queue(session, 8000)
        _ = drain(session, at: at(2))
        // The guest was only slow: it has everything, and says so for each of the doubled segments.
        session.timerExpired(at: at(500))
        #expect(drain(session, at: at(500)).count == 8)
        _ = session.receive(header([.ack], 1001, (.max - 4) &+ 8000), payload: 0, at: at(501))
        queue(session, 2000)
        #expect(drain(session, at: at(501)).count == 2)
        for _ in 0..<7 { _ = session.receive(header([.ack], 1001, (.max - 4) &+ 8000), payload: 0, at: at(502)) }
        #expect(drain(session, at: at(502)).isEmpty)
    }

    @Test("windows are scaled only if the guest does it too", arguments: [nil, 7 as UInt8]) func scaling(shift: UInt8?)
        throws
    {
        let session = session()
        #expect(try #require(session.nextSegment(at: start)).header.windowShift == TCPSession.windowShift)
        var answer = header([.syn, .ack], 1000, .max - 4, segmentSize: 1000)
        answer.windowShift = shift
        _ = session.receive(answer, payload: 0, at: at(1))
        let window = try #require(session.nextSegment(at: at(1))).header.window
        #expect(window == (shift == nil ? UInt16.max : UInt16(TCPSession.bufferLimit >> Int(TCPSession.windowShift))))
    }

    @Test("only a reset with the expected number is believed") func resets() throws {
        let session = opened()
        _ = session.receive(header([.rst], 1500, 0), payload: 0, at: at(2))
        #expect(session.state == .open)
        #expect(try #require(session.nextSegment(at: at(2))).header.flags == [.ack])
        _ = session.receive(header([.rst], 1001, 0), payload: 0, at: at(2))
        #expect(session.state == .failed(.reset))
    }

    @Test("data arrives whole over a path that loses, doubles and reorders", arguments: 1...20 as ClosedRange<UInt64>)
    func lossyPath(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let session = opened(window: 8000)
        let data = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ $0 >> 8) }
        session.sendQueue.append(data.span.bytes)
        session.close()
        var expected = UInt32.max - 4
        var received: [UInt8] = []
        var path: [(sequence: UInt32, bytes: [UInt8], fin: Bool)] = []
        var now = at(2)
        var ended = false
        for _ in 0..<20_000 where !session.isDrained {
            while let segment = session.nextSegment(at: now) {
                if random.next() % 8 == 0 { continue }
                let all = session.sendQueue.bytes
                let bytes = Array(all[segment.payload])
                path.append((segment.header.sequence, bytes, segment.header.flags.contains(.fin)))
                if random.next() % 8 == 0, let last = path.last { path.append(last) }
                if random.next() % 8 == 0 { path.swapAt(0, path.count - 1) }
            }
            if path.isEmpty {
                guard let deadline = session.deadline else { break }
                now = deadline
                session.timerExpired(at: now)
                continue
            }
            let segment = path.removeFirst()
            if segment.sequence == expected {
                received += segment.bytes
                expected = expected &+ UInt32(segment.bytes.count) &+ (segment.fin ? 1 : 0)
                ended = ended || segment.fin
            }
            if random.next() % 8 != 0 {
                _ = session.receive(header([.ack], 1001, expected, window: 8000), payload: 0, at: now)
            }
        }
        #expect(ended)
        #expect(received == data)
    }

    @Test("no sequence of segments from a guest breaks it", arguments: 1...50 as ClosedRange<UInt64>)
    func arbitrarySegments(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let session = opened()
        queue(session, 5000)
        var now = at(2)
        for _ in 0..<2000 {
            let near = random.next() % 2 == 0
            let header = TCPHeader(
                source: 22, destination: 50000,
                sequence: near
                    ? 1001 &+ UInt32(truncatingIfNeeded: random.next() % 3000)
                    : UInt32(truncatingIfNeeded: random.next()),
                acknowledgement: near
                    ? (.max - 6) &+ UInt32(truncatingIfNeeded: random.next() % 6000)
                    : UInt32(truncatingIfNeeded: random.next()),
                flags: TCPHeader.Flags(rawValue: UInt8(truncatingIfNeeded: random.next()) & (near ? 0x1b : 0x3f)),
                window: UInt16(truncatingIfNeeded: random.next()))
            let count = Int(random.next() % 70_000)
            let new = session.receive(header, payload: count, at: now)
            #expect(new.lowerBound >= 0 && new.upperBound <= count)
            session.receiveQueue.append([UInt8](repeating: 0, count: new.count).span.bytes)
            #expect(session.receiveQueue.count <= TCPSession.bufferLimit)
            for segment in drain(session, at: now) { #expect(segment.payload.upperBound <= session.sendQueue.count) }
            if random.next() % 4 == 0 { session.receiveQueue.removeAll() }
            if let deadline = session.deadline, random.next() % 4 == 0 {
                now = max(now, deadline)
                session.timerExpired(at: now)
            }
        }
    }
}
