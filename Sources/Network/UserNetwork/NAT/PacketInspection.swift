/// Inspects packets for libslirp, which is C and trusts lengths more than it should: version 4.7 corrupts its memory
/// when a UDP header claims fewer than its own eight bytes. Only packets whose lengths are all right get there.
enum PacketInspection {
    /// Whether the transport's header of an unfragmented IPv4 packet without options is sound, and of a kind that can
    /// be passed on: TCP, UDP, or an echo request.
    static func accepts(_ frame: RawSpan, _ packet: IPv4Header) -> Bool {
        guard packet.payloadOffset == EthernetHeader.count + 20 else { return false }
        return accepts(frame, packet.transport, at: packet.payloadOffset, count: packet.payloadCount)
            || packet.transport == IPv4Header.icmp && packet.payloadCount >= 8
                && frame.uint16(packet.payloadOffset) == 0x0800
    }

    /// Whether an IPv6 packet's payload, right behind the fixed header, is sound and can be passed on: TCP, UDP, an
    /// echo request, or the messages by which hosts and routers find each other (RFC 4861, sections 4.1, 4.3 and 4.4).
    static func acceptsIPv6(_ frame: RawSpan, _ nextHeader: UInt8, count: Int) -> Bool {
        let start = EthernetHeader.count + 40
        guard nextHeader == 58 else { return accepts(frame, nextHeader, at: start, count: count) }
        switch frame.uint16(start) {
        case 0x8000: return count >= 8
        case 0x8500: return count >= 8 && hasSoundOptions(frame, at: start + 8, end: start + count)
        case 0x8700, 0x8800: return count >= 24 && hasSoundOptions(frame, at: start + 24, end: start + count)
        default: return false
        }
    }

    private static func accepts(_ frame: RawSpan, _ transport: UInt8, at start: Int, count: Int) -> Bool {
        switch transport {
        case IPv4Header.udp:
            guard count >= 8, let length = frame.uint16(start + 4) else { return false }
            return length >= 8 && Int(length) <= count
        case IPv4Header.tcp:
            guard let (_, headerCount) = TCPHeader.parse(frame, at: start, count: count) else { return false }
            return hasSoundTCPOptions(frame, at: start + 20, end: start + headerCount)
        default: return false
        }
    }

    private static func hasSoundTCPOptions(_ frame: RawSpan, at start: Int, end: Int) -> Bool {
        var position = start
        while position < end, let kind = frame.uint8(position), kind != 0 {
            if kind == 1 {
                position += 1
                continue
            }
            guard position + 1 < end, let length = frame.uint8(position + 1), length >= 2 else { return false }
            position += Int(length)
        }
        return position <= end
    }

    /// Neighbour discovery's options: a type, a length in units of eight bytes, never zero (RFC 4861, section 4.6).
    private static func hasSoundOptions(_ frame: RawSpan, at start: Int, end: Int) -> Bool {
        var position = start
        while position < end {
            guard position + 1 < end, let length = frame.uint8(position + 1), length > 0 else { return false }
            position += Int(length) * 8
        }
        return position == end
    }
}
