import LinuxSystem
import NetworkControl

@testable import UserNetwork

/// A guest's end of a TCP connection to the name server. Its TCP is the product's other half, which opens connections.
final class GuestResolver {
    let session: TCPSession
    private let peer: ScriptedPeer
    private(set) var received: [UInt8] = []

    init(_ peer: ScriptedPeer, port: UInt16 = 40_000, now: MonotonicClock = .now) {
        self.peer = peer
        session = TCPSession(
            localPort: port, remotePort: 53, initialSequence: 0xffff_fff0, mtu: 1500,
            knocks: Pace(first: .milliseconds(50), growing: 2, most: .milliseconds(300)), now: now)
    }

    func ask(_ message: [UInt8]) {
        let framed = Wire.be16(message.count) + message
        session.sendQueue.append(framed.span.bytes)
    }

    /// Takes what has arrived and sends what there is to say.
    func work() {
        peer.receive()
        let segments = peer.frames.filter { $0.isTCP && $0.sourcePort == 53 && $0.destinationPort == session.localPort }
        peer.frames.removeAll { $0.isTCP && $0.destinationPort == session.localPort }
        for segment in segments {
            let count = Int(segment.number(16, 2)) - 20
            guard segment.isSound, let (header, _) = TCPHeader.parse(segment.bytes.span.bytes, at: 34, count: count)
            else { continue }
            let payload = segment.tcpPayload
            received += payload[session.receive(header, payload: payload.count, at: .now)]
        }
        if let deadline = session.deadline, deadline <= .now { session.timerExpired(at: .now) }
        while let (header, range) = session.nextSegment(at: .now) {
            let payload = Array(session.sendQueue.bytes[range])
            var options: [UInt8] = []
            if let size = header.maximumSegmentSize { options += [2, 4] + Wire.be16(Int(size)) }
            if let shift = header.windowShift { options += [1, 3, 3, shift] }
            peer.send(
                packet: Wire.tcp(
                    from: (peer.address, session.localPort), to: ("10.77.0.1", 53), sequence: header.sequence,
                    acknowledgement: header.acknowledgement, flags: header.flags.rawValue, window: header.window,
                    options: options, payload))
        }
        session.settle()
    }

    /// The answers that are complete.
    var answers: [[UInt8]] {
        var rest = received[...]
        var answers: [[UInt8]] = []
        while rest.count >= 2 {
            let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
            guard rest.count >= 2 + length else { break }
            answers.append(Array(rest.dropFirst(2).prefix(length)))
            rest = rest.dropFirst(2 + length)
        }
        return answers
    }
}
