/// An IPv6 packet of a frame that holds all of it: the fixed header, and what its extension headers lead to (RFC 8200,
/// sections 3 and 4).
struct IPv6Header {
    static let count = 40
    static let tcp: UInt8 = 6
    static let udp: UInt8 = 17
    static let icmp: UInt8 = 58
    /// More extension headers than this are nobody's honest packet.
    static let extensionLimit = 16

    let source: IPv6Address
    let destination: IPv6Address
    /// The protocol of the transport's header; nil in a piece of a packet that is not its first.
    let transport: UInt8?
    /// Where the transport's header starts in the frame, in bytes.
    let payloadOffset: Int
    /// Bytes of the packet from there on; Ethernet's padding is not counted.
    let payloadCount: Int
    /// Whether other headers stand before the transport's.
    let hasExtensions: Bool

    /// nil unless the packet, or its first piece, holds its chain of headers up to the transport's. A receiver would
    /// find out only later what such a packet is, past everybody who decides whether it may pass (RFC 7112 and 7113).
    init?(_ frame: RawSpan) {
        let start = EthernetHeader.count
        guard let first = frame.uint8(start), first >> 4 == 6, let length = frame.uint16(start + 4),
            start + Self.count + Int(length) <= frame.byteCount, var next = frame.uint8(start + 6),
            let source = frame.ipv6Address(start + 8), let destination = frame.ipv6Address(start + 24)
        else { return nil }
        self.source = source
        self.destination = destination
        // A length of zero leaves the end to an option of the first extension header (RFC 2675): everything but the
        // transport would then be read from behind the end that is known here.
        let end = start + Self.count + Int(length)
        var position = start + Self.count
        var headers = 0
        while let kind = Extension(next) {
            headers += 1
            guard headers <= Self.extensionLimit, end - position >= 8, let following = frame.uint8(position),
                let units = frame.uint8(position + 1), let field = frame.uint16(position + 2)
            else { return nil }
            next = following
            position += kind.count(units)
            guard position <= end else { return nil }
            if kind == .fragment, field >> 3 != 0 {
                transport = nil
                payloadOffset = position
                payloadCount = end - position
                hasExtensions = true
                return
            }
        }
        guard end - position >= Self.leastCount(of: next) else { return nil }
        transport = next
        payloadOffset = position
        payloadCount = end - position
        hasExtensions = headers > 0
    }

    /// The extension headers (RFC 7045, section 4). What is behind an encrypted payload (50) cannot be known.
    private enum Extension {
        case options, fragment, authentication

        init?(_ number: UInt8) {
            switch number {
            // Hop by hop, routing, destination; mobility, host identity, shim6.
            case 0, 43, 60, 135, 139, 140: self = .options
            case 44: self = .fragment
            case 51: self = .authentication
            default: return nil
            }
        }

        /// - Parameter units: The header's own field: eight bytes each, or four.
        func count(_ units: UInt8) -> Int {
            switch self {
            case .options: (Int(units) + 1) * 8
            case .fragment: 8
            case .authentication: (Int(units) + 2) * 4
            }
        }
    }

    /// The least that a transport's header can be, in bytes.
    private static func leastCount(of transport: UInt8) -> Int {
        switch transport {
        case tcp: 20
        case udp: 8
        case icmp: 4
        case 59: 0  // No transport at all.
        default: 1
        }
    }
}
