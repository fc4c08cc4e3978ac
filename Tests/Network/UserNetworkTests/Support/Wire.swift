import NetworkAddress
import NetworkControl

/// Frames built byte by byte from the RFCs, not by the code under test.
enum Wire {
    static func number(_ value: some FixedWidthInteger, bytes: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * (bytes - 1 - $0))) }
    }
    static func be16(_ value: some FixedWidthInteger) -> [UInt8] { number(value, bytes: 2) }
    static func be32(_ value: some FixedWidthInteger) -> [UInt8] { number(value, bytes: 4) }
    static func address(_ text: String) -> [UInt8] { be32(IPv4Address(text)?.rawValue ?? 0) }
    static func mac(_ text: String) -> [UInt8] { MACAddress(text)?.bytes ?? [] }

    /// RFC 1071, as slowly as it is written there.
    static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0)
            sum = (sum & 0xffff) + (sum >> 16)
        }
        return ~UInt16(sum)
    }

    static func ethernet(to: String, from: String, type: UInt16, _ payload: [UInt8]) -> [UInt8] {
        mac(to) + mac(from) + be16(type) + payload
    }

    static func ipv4(
        from: String, to: String, transport: UInt8, _ payload: [UInt8], fragment: UInt16 = 0, identification: UInt16 = 1
    ) -> [UInt8] {
        var header = [0x45, 0] + be16(20 + payload.count) + be16(identification) + be16(fragment)
        header += [64, transport, 0, 0] + address(from) + address(to)
        header.replaceSubrange(10..<12, with: be16(checksum(header)))
        return header + payload
    }

    static func udp(from: (String, UInt16), to: (String, UInt16), _ payload: [UInt8]) -> [UInt8] {
        var datagram = be16(from.1) + be16(to.1) + be16(8 + payload.count) + [0, 0] + payload
        let pseudo = address(from.0) + address(to.0) + [0, 17] + be16(datagram.count)
        datagram.replaceSubrange(6..<8, with: be16(checksum(pseudo + datagram)))
        return ipv4(from: from.0, to: to.0, transport: 17, datagram)
    }

    static func tcp(
        from: (String, UInt16), to: (String, UInt16), sequence: UInt32, acknowledgement: UInt32, flags: UInt8,
        window: UInt16 = 65535, urgent: UInt16 = 0, options: [UInt8] = [], _ payload: [UInt8] = []
    ) -> [UInt8] {
        var segment = be16(from.1) + be16(to.1) + be32(sequence) + be32(acknowledgement)
        segment +=
            [UInt8((20 + options.count) / 4) << 4, flags] + be16(window) + [0, 0] + be16(urgent) + options + payload
        let pseudo = address(from.0) + address(to.0) + [0, 6] + be16(segment.count)
        segment.replaceSubrange(16..<18, with: be16(checksum(pseudo + segment)))
        return ipv4(from: from.0, to: to.0, transport: 6, segment)
    }

    static func arp(
        _ operation: UInt16, sender: (String, String), target: (String, String), to: String = "ff:ff:ff:ff:ff:ff",
        from: String? = nil
    ) -> [UInt8] {
        let body =
            [0, 1, 8, 0, 6, 4] + be16(operation) + mac(sender.0) + address(sender.1) + mac(target.0) + address(target.1)
        return ethernet(to: to, from: from ?? sender.0, type: 0x0806, body)
    }

    /// A DHCP message of a client (RFC 2131, figure 1).
    static func dhcp(_ kind: UInt8, mac text: String, options: [UInt8] = [], client: String = "0.0.0.0") -> [UInt8] {
        [1, 1, 6, 0] + be32(0x1234_5678 as UInt32) + [0, 0, 0, 0] + address(client) + [UInt8](repeating: 0, count: 12)
            + mac(text) + [UInt8](repeating: 0, count: 10 + 192) + [0x63, 0x82, 0x53, 0x63, 53, 1, kind] + options + [
                255
            ]
    }

    static func dnsQuery(_ name: String, type: UInt16 = 1, identifier: UInt16 = 0xbeef) -> [UInt8] {
        let labels = name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        return be16(identifier) + [1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + labels + [0] + be16(type) + [0, 1]
    }
}

/// A received frame's fields, by their places in the RFCs' pictures.
struct Seen {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func slice(_ range: Range<Int>) -> [UInt8] {
        range.upperBound <= bytes.count ? Array(bytes[range]) : []
    }
    func number(_ offset: Int, _ count: Int) -> UInt32 {
        slice(offset..<offset + count).reduce(0) { $0 << 8 | UInt32($1) }
    }
    var type: UInt32 { number(12, 2) }
    var transport: UInt32 { type == 0x0800 ? number(23, 1) : 0 }
    var isUDP: Bool { transport == 17 }
    var isTCP: Bool { transport == 6 }
    var isICMP: Bool { transport == 1 }
    var sourcePort: UInt16 { UInt16(number(34, 2)) }
    var destinationPort: UInt16 { UInt16(number(36, 2)) }
    var udpPayload: [UInt8] { isUDP ? slice(42..<34 + Int(number(38, 2))) : [] }
    var sequence: UInt32 { number(38, 4) }
    var acknowledgement: UInt32 { number(42, 4) }
    var flags: UInt32 { number(47, 1) }
    var tcpPayload: [UInt8] { slice(34 + Int(number(46, 1) >> 4) * 4..<14 + Int(number(16, 2))) }
    /// Whether the sums of IP and TCP or UDP are right.
    var isSound: Bool {
        let segment = slice(34..<14 + Int(number(16, 2)))
        let pseudo = slice(26..<34) + [0, UInt8(transport)] + Wire.be16(segment.count)
        return Wire.checksum(slice(14..<34)) == 0 && Wire.checksum(pseudo + segment) == 0
    }
}
