import Glibc
import NetworkControl

@testable import UserNetwork

/// A guest whose frames the test makes, wherever its network is.
protocol FrameGuest: AnyObject {
    var address: String { get }
    /// What has arrived and nobody has taken.
    var frames: [Seen] { get set }
    /// Reads what has arrived into ``frames``, without waiting.
    func receive()
    @discardableResult func send(packet: [UInt8]) -> Bool
}

/// The TCP of a scripted guest: it accepts connections to its ports, acknowledges everything, and sends back what it
/// gets.
final class GuestServer {
    private let peer: any FrameGuest
    var openPorts: Set<UInt16>
    /// Whether closed ports answer; a guest that boots does not.
    var refuses = true
    var echoes = true
    /// Whether it closes its direction once the other is closed.
    var closesToo = true
    private struct Connection {
        var next: UInt32
        var sequence: UInt32
        var received: [UInt8] = []
        var pending: [UInt8] = []
        var acknowledged: UInt32
        var edge: UInt32
        var closed = false
    }
    private var connections: [UInt16: Connection] = [:]
    private(set) var resets = 0
    private(set) var knocks = 0

    init(_ peer: any FrameGuest, open ports: Set<UInt16>) {
        self.peer = peer
        openPorts = ports
    }

    var received: [UInt8] { connections.values.first?.received ?? [] }
    var connectionCount: Int { connections.count }
    var isClosed: Bool { connections.values.allSatisfy(\.closed) && !connections.isEmpty }

    /// Answers every segment that has arrived.
    func serve() {
        peer.receive()
        let segments = peer.frames.filter { $0.isTCP }
        peer.frames.removeAll { $0.isTCP }
        for segment in segments { answer(segment) }
        for port in connections.keys { flush(port) }
    }

    /// Ends every connection by a reset, as a guest does whose program was killed.
    func reset() {
        for (port, connection) in connections {
            guard let segment = ports[port] else { continue }
            reply(segment, sequence: connection.sequence, acknowledgement: connection.next, flags: 0x14)
        }
        connections = [:]
    }

    /// Says `bytes` and closes the guest's direction of every connection.
    func close(saying bytes: [UInt8]) {
        for port in connections.keys {
            guard let segment = ports[port], var connection = connections[port] else { continue }
            reply(segment, sequence: connection.sequence, acknowledgement: connection.next, flags: 0x19, bytes)
            connection.sequence &+= UInt32(bytes.count) &+ 1
            connections[port] = connection
        }
    }

    /// Says `bytes` in each connection, the last of them urgently.
    func say(urgently bytes: [UInt8]) {
        for (port, connection) in connections {
            guard let segment = ports[port] else { continue }
            reply(
                segment, sequence: connection.sequence, acknowledgement: connection.next, flags: 0x38,
                urgent: UInt16(bytes.count), bytes)
            connections[port]?.sequence &+= UInt32(bytes.count)
        }
    }

    private func reply(
        _ segment: Seen, sequence: UInt32, acknowledgement: UInt32, flags: UInt8, urgent: UInt16 = 0,
        options: [UInt8] = [], _ payload: [UInt8] = []
    ) {
        peer.send(
            packet: Wire.tcp(
                from: (peer.address, segment.destinationPort), to: ("10.77.0.1", segment.sourcePort),
                sequence: sequence,
                acknowledgement: acknowledgement, flags: flags, urgent: urgent, options: options, payload))
    }

    private var ports: [UInt16: Seen] = [:]

    private func answer(_ segment: Seen) {
        let port = segment.sourcePort
        ports[port] = segment
        if segment.flags & 0x04 != 0 {
            resets += 1
            connections[port] = nil
            return
        }
        if segment.flags & 0x02 != 0 {
            knocks += 1
            guard openPorts.contains(segment.destinationPort) else {
                if refuses { reply(segment, sequence: 0, acknowledgement: segment.sequence &+ 1, flags: 0x14) }
                return
            }
            connections[port] = Connection(
                next: segment.sequence &+ 1, sequence: 1_000_001, acknowledged: 1_000_001, edge: 1_000_001 + 60_000)
            reply(
                segment, sequence: 1_000_000, acknowledgement: segment.sequence &+ 1, flags: 0x12,
                options: [2, 4] + Wire.be16(8960) + [1, 3, 3, 0])
            return
        }
        guard var connection = connections[port] else { return }
        connection.acknowledged = segment.acknowledgement
        connection.edge = segment.acknowledgement &+ segment.number(48, 2) << 3
        let payload = segment.tcpPayload
        if segment.sequence == connection.next {
            connection.next &+= UInt32(payload.count)
            connection.received += payload
            if echoes { connection.pending += payload }
            if segment.flags & 0x01 != 0 {
                connection.next &+= 1
                connection.closed = true
            }
        }
        connections[port] = connection
        if !payload.isEmpty || segment.flags & 0x01 != 0 {
            let closes: UInt8 = closesToo && connection.closed && connection.pending.isEmpty ? 0x11 : 0x10
            reply(segment, sequence: connection.sequence, acknowledgement: connection.next, flags: closes)
            if closes == 0x11 { connections[port]?.sequence &+= 1 }
        }
    }

    private func flush(_ port: UInt16) {
        guard let segment = ports[port] else { return }
        while var connection = connections[port], !connection.pending.isEmpty {
            let room = Int(Int32(bitPattern: connection.edge &- connection.sequence))
            let count = min(connection.pending.count, 8960, room)
            guard count > 0 else { return }
            let piece = Array(connection.pending.prefix(count))
            connection.pending.removeFirst(count)
            let last = closesToo && connection.closed && connection.pending.isEmpty
            reply(
                segment, sequence: connection.sequence, acknowledgement: connection.next, flags: last ? 0x19 : 0x18,
                piece)
            connection.sequence &+= UInt32(count) &+ (last ? 1 : 0)
            connections[port] = connection
        }
    }
}

/// A non-blocking client of the host, driven by the test.
final class HostClient {
    let raw: CInt
    private(set) var received: [UInt8] = []
    private(set) var ended = false
    private(set) var failure: CInt = 0

    init(_ raw: CInt) {
        self.raw = raw
        _ = fcntl(raw, F_SETFL, O_NONBLOCK)
    }
    deinit { close(raw) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Int { bytes.withUnsafeBytes { max(0, write(raw, $0.baseAddress, $0.count)) } }
    func send(_ text: String) { send(Array(text.utf8)) }
    func finishSending() { _ = shutdown(raw, CInt(SHUT_WR)) }

    func receive() {
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while !ended {
            let count = buffer.withUnsafeMutableBytes { read(raw, $0.baseAddress, $0.count) }
            if count > 0 {
                received += buffer[..<count]
            } else if count == 0 {
                ended = true
            } else {
                if errno != EAGAIN {
                    failure = errno
                    ended = true
                }
                return
            }
        }
    }
    var text: String { String(decoding: received, as: UTF8.self) }
}
