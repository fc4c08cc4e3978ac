import LinuxSystem
import Testing

@testable import UserNetwork

@Suite struct SegmentSizeTests {
    private let start = MonotonicClock.now

    private func segments(_ session: TCPSession) -> Int {
        session.sendQueue.append([UInt8](repeating: 7, count: 5000).span.bytes)
        var count = 0
        while count < 10_000, let segment = session.nextSegment(at: start) {
            if !segment.payload.isEmpty { count += 1 }
        }
        return count
    }

    private func answer(_ size: UInt16?, flags: TCPHeader.Flags, acknowledgement: UInt32) -> TCPHeader {
        TCPHeader(
            source: 22, destination: 50000, sequence: 1000, acknowledgement: acknowledgement, flags: flags,
            window: 60000, maximumSegmentSize: size)
    }

    @Test(
        "a guest cannot ask for segments so small that they are all work and no data",
        arguments: [0, 1, 48, 535, 536, nil] as [UInt16?])
    func least(size: UInt16?) {
        let knocking = TCPSession(
            localPort: 50000, remotePort: 22, initialSequence: 9, mtu: 1500,
            knocks: Pace(first: .milliseconds(50), growing: 2, most: .milliseconds(300)), now: start)
        _ = knocking.nextSegment(at: start)
        _ = knocking.receive(answer(size, flags: [.syn, .ack], acknowledgement: 10), payload: 0, at: start)
        #expect(segments(knocking) <= 10)
        let accepting = TCPSession(
            accepting: answer(size, flags: [.syn], acknowledgement: 0), initialSequence: 9, mtu: 1500, now: start)
        _ = accepting.nextSegment(at: start)
        _ = accepting.receive(
            TCPHeader(
                source: 22, destination: 50000, sequence: 1001, acknowledgement: 10, flags: [.ack], window: 60000),
            payload: 0, at: start)
        let count = segments(accepting)
        #expect(count > 0 && count <= 10)
    }
}
