import NetworkAddress
import NetworkControl

/// The header of an Ethernet II frame.
struct EthernetHeader {
    static let count = EthernetFrame.headerCount
    static let arp: UInt16 = 0x0806
    static let ipv4: UInt16 = 0x0800
    static let ipv6: UInt16 = 0x86dd

    let destination: MACAddress
    let source: MACAddress
    let type: UInt16

    init?(_ frame: RawSpan) {
        guard let destination = frame.mac(0), let source = frame.mac(6), let type = frame.uint16(12) else { return nil }
        self.destination = destination
        self.source = source
        self.type = type
    }
}

/// The fixed part of an IPv4 header (RFC 791, section 3.1), of a frame that holds the whole packet.
struct IPv4Header {
    static let udp: UInt8 = 17
    static let tcp: UInt8 = 6
    static let icmp: UInt8 = 1

    let transport: UInt8
    let source: IPv4Address
    let destination: IPv4Address
    /// Where the transport's header starts in the frame, in bytes.
    let payloadOffset: Int
    /// Bytes of the packet behind its header; Ethernet's padding is not counted.
    let payloadCount: Int
    /// Whether the packet is a piece of a larger one.
    let isFragment: Bool
    /// Whether it holds the beginning of the transport's header: a whole packet does, and a piece if it is the first.
    let isFirst: Bool

    init?(_ frame: RawSpan) {
        let start = EthernetHeader.count
        guard let first = frame.uint8(start), first >> 4 == 4, let total = frame.uint16(start + 2),
            let fragment = frame.uint16(start + 6), let transport = frame.uint8(start + 9),
            let source = frame.address(start + 12), let destination = frame.address(start + 16)
        else { return nil }
        let headerCount = Int(first & 0x0f) * 4
        guard headerCount >= 20, Int(total) >= headerCount, start + Int(total) <= frame.byteCount else { return nil }
        self.transport = transport
        self.source = source
        self.destination = destination
        payloadOffset = start + headerCount
        payloadCount = Int(total) - headerCount
        // Everything but the flag "don't fragment".
        isFragment = fragment & 0xbfff != 0
        isFirst = fragment & 0x1fff == 0
    }
}

/// A UDP header (RFC 768).
struct UDPHeader {
    let source: UInt16
    let destination: UInt16
    let payloadOffset: Int
    let payloadCount: Int

    init?(_ frame: RawSpan, _ packet: IPv4Header) {
        let start = packet.payloadOffset
        guard packet.payloadCount >= 8, let source = frame.uint16(start), let destination = frame.uint16(start + 2),
            let length = frame.uint16(start + 4), Int(length) >= 8, Int(length) <= packet.payloadCount
        else { return nil }
        self.source = source
        self.destination = destination
        payloadOffset = start + 8
        payloadCount = Int(length) - 8
    }
}

/// A TCP header (RFC 9293, section 3.1) with the options that we understand.
struct TCPHeader {
    struct Flags: OptionSet {
        let rawValue: UInt8
        static let fin = Self(rawValue: 0x01)
        static let syn = Self(rawValue: 0x02)
        static let rst = Self(rawValue: 0x04)
        static let psh = Self(rawValue: 0x08)
        static let ack = Self(rawValue: 0x10)
    }

    var source: UInt16
    var destination: UInt16
    var sequence: UInt32
    var acknowledgement: UInt32
    var flags: Flags
    var window: UInt16
    var maximumSegmentSize: UInt16?
    var windowShift: UInt8?

    /// Reads the header at `start`; `count` bytes of the packet remain there.
    /// - Returns: nil if it is cut or contradicts itself.
    static func parse(_ frame: RawSpan, at start: Int, count: Int) -> (header: TCPHeader, headerCount: Int)? {
        guard count >= 20, let source = frame.uint16(start), let destination = frame.uint16(start + 2),
            let sequence = frame.uint32(start + 4), let acknowledgement = frame.uint32(start + 8),
            let offset = frame.uint8(start + 12), let flags = frame.uint8(start + 13),
            let window = frame.uint16(start + 14)
        else { return nil }
        let headerCount = Int(offset >> 4) * 4
        guard headerCount >= 20, headerCount <= count else { return nil }
        var header = TCPHeader(
            source: source, destination: destination, sequence: sequence, acknowledgement: acknowledgement,
            flags: Flags(rawValue: flags), window: window)
        var position = start + 20
        let end = start + headerCount
        while position < end, let kind = frame.uint8(position), kind != 0 {
            if kind == 1 {
                position += 1
                continue
            }
            guard let length = frame.uint8(position + 1), length >= 2, position + Int(length) <= end else { break }
            if kind == 2, length == 4 { header.maximumSegmentSize = frame.uint16(position + 2) }
            if kind == 3, length == 3 { header.windowShift = frame.uint8(position + 2).map { min($0, 14) } }
            position += Int(length)
        }
        return (header, headerCount)
    }
}
