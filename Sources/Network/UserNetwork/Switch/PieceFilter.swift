import LinuxSystem
import NetworkAddress

/// Which pieces of a machine's fragmented UDP broadcasts may pass (RFC 791, section 3.2). Only the first piece of a
/// packet has the ports, so the others pass by its identification, and each only directly after the previous one.
/// Senders send them in order and the way to the switch keeps the order, so pieces that overlap or leave a gap are an
/// attack or useless.
struct PieceFilter {
    /// Packets under way at the same time; the oldest makes room.
    static let limit = 16
    /// How long the rest of a packet may take, in milliseconds.
    static let patience: Int64 = 5_000
    /// What a packet can hold behind its header, in bytes.
    private static let largest = 65_515

    private struct Packet {
        var destination: IPv4Address
        var identification: UInt16
        /// What has passed, in bytes from the start of the UDP header on.
        var end: Int
        var started: MonotonicClock
    }
    private var packets: [Packet] = []

    /// Packets whose rest may pass.
    var count: Int { packets.count }

    /// Why a piece does not pass; nil if it does.
    mutating func refuses(_ frame: RawSpan, _ packet: IPv4Header, at now: MonotonicClock) -> DropReason? {
        packets.removeAll { now.milliseconds(since: $0.started) > Self.patience }
        let start = EthernetHeader.count
        guard let identification = frame.uint16(start + 4), let field = frame.uint16(start + 6) else {
            return .malformed
        }
        let offset = Int(field & 0x1fff) * 8
        let isLast = field & 0x2000 == 0
        let end = offset + packet.payloadCount
        guard packet.payloadCount > 0, isLast || packet.payloadCount % 8 == 0, end <= Self.largest else {
            return .malformed
        }
        let known = packets.firstIndex { $0.destination == packet.destination && $0.identification == identification }
        if offset == 0 {
            guard let reason = Self.refusesFirst(frame, packet) else {
                if let known { packets.remove(at: known) }
                if packets.count >= Self.limit { packets.removeFirst() }
                packets.append(
                    Packet(
                        destination: packet.destination, identification: identification, end: end, started: now))
                return nil
            }
            return reason
        }
        guard let known else { return .notAllowed }
        let follows = packets[known].end == offset
        packets[known].end = end
        if isLast || !follows { packets.remove(at: known) }
        return follows ? nil : .notAllowed
    }

    /// The first piece holds the whole UDP header; its datagram is longer than itself.
    private static func refusesFirst(_ frame: RawSpan, _ packet: IPv4Header) -> DropReason? {
        let start = packet.payloadOffset
        guard packet.payloadCount >= 8, let source = frame.uint16(start), let destination = frame.uint16(start + 2),
            let length = frame.uint16(start + 4), Int(length) > packet.payloadCount
        else { return .malformed }
        // Whole, it would be the gateway's alone.
        return source == 68 && destination == 67 ? .notAllowed : nil
    }
}
