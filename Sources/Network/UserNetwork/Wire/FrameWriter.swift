import NetworkAddress
import NetworkControl

/// Where a datagram or segment comes from or goes to.
struct Endpoint: Hashable {
    var mac: MACAddress
    var address: IPv4Address
    var port: UInt16 = 0
}

/// Builds the frames that the network itself sends. Numbers are big-endian.
struct FrameWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func append(_ value: UInt8) { bytes.append(value) }
    mutating func append(_ value: UInt16) {
        bytes.append(UInt8(truncatingIfNeeded: value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
    }
    mutating func append(_ value: UInt32) {
        append(UInt16(truncatingIfNeeded: value >> 16))
        append(UInt16(truncatingIfNeeded: value))
    }
    mutating func append(_ value: UInt64) {
        append(UInt32(truncatingIfNeeded: value >> 32))
        append(UInt32(truncatingIfNeeded: value))
    }
    mutating func append(_ address: MACAddress) {
        append(UInt16(truncatingIfNeeded: address.rawValue >> 32))
        append(UInt32(truncatingIfNeeded: address.rawValue))
    }
    mutating func append(_ address: IPv4Address) { append(address.rawValue) }
    mutating func append(_ address: IPv6Address) {
        append(address.high)
        append(address.low)
    }
    mutating func append(_ other: [UInt8]) { bytes += other }
    mutating func replace(at offset: Int, with value: UInt16) {
        bytes[offset] = UInt8(truncatingIfNeeded: value >> 8)
        bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
    }

    mutating func appendEthernet(from source: MACAddress, to destination: MACAddress, type: UInt16) {
        append(destination)
        append(source)
        append(type)
    }

    /// - Parameter payloadCount: What follows the header, in bytes; at most 65,515.
    mutating func appendIPv4(
        from source: IPv4Address, to destination: IPv4Address, transport: UInt8, payloadCount: Int
    ) {
        let start = bytes.count
        append(UInt16(0x4500))
        append(UInt16(truncatingIfNeeded: 20 + payloadCount))
        append(UInt16(0))
        append(UInt16(0x4000))  // Never fragmented: RFC 6864 then lets the identification be anything.
        append(UInt8(64))
        append(transport)
        append(UInt16(0))
        append(source)
        append(destination)
        var checksum = InternetChecksum()
        unsafe checksum.add(bytes.span.bytes.extracting(start..<start + 20))
        replace(at: start + 10, with: checksum.value)
    }

    /// The sum that UDP and TCP put before their own header (RFC 9293, section 3.1).
    static func pseudoHeader(
        from source: IPv4Address, to destination: IPv4Address, transport: UInt8, count: Int
    ) -> InternetChecksum {
        var checksum = InternetChecksum()
        checksum.add(source.rawValue)
        checksum.add(destination.rawValue)
        checksum.add(UInt16(transport))
        checksum.add(UInt16(truncatingIfNeeded: count))
        return checksum
    }

    /// A whole frame with a UDP datagram.
    /// - Parameter payload: At most 65,507 bytes.
    static func udp(from source: Endpoint, to destination: Endpoint, payload: [UInt8]) -> [UInt8] {
        var writer = FrameWriter(capacity: 42 + payload.count)
        let count = 8 + payload.count
        writer.appendEthernet(from: source.mac, to: destination.mac, type: EthernetHeader.ipv4)
        writer.appendIPv4(
            from: source.address, to: destination.address, transport: IPv4Header.udp, payloadCount: count)
        writer.append(source.port)
        writer.append(destination.port)
        writer.append(UInt16(truncatingIfNeeded: count))
        writer.append(UInt16(0))
        writer.append(payload)
        var checksum = pseudoHeader(
            from: source.address, to: destination.address, transport: IPv4Header.udp, count: count)
        unsafe checksum.add(writer.bytes.span.bytes.extracting(34..<42 + payload.count))
        // Zero would mean that there is no checksum (RFC 768).
        writer.replace(at: 40, with: checksum.value == 0 ? 0xffff : checksum.value)
        return writer.bytes
    }

    /// A whole frame with an ICMPv6 message whose header is four bytes, four zero ones, and a body (RFC 4443, section
    /// 2.1).
    static func icmp6(
        type: UInt8, code: UInt8, from source: (mac: MACAddress, address: IPv6Address),
        to destination: (mac: MACAddress, address: IPv6Address), body: [UInt8]
    ) -> [UInt8] {
        let count = 8 + body.count
        let start = EthernetHeader.count + IPv6Header.count
        var writer = FrameWriter(capacity: start + count)
        writer.appendEthernet(from: source.mac, to: destination.mac, type: EthernetHeader.ipv6)
        writer.append(UInt32(0x6000_0000))
        writer.append(UInt16(truncatingIfNeeded: count))
        writer.append(IPv6Header.icmp)
        writer.append(UInt8(64))
        writer.append(source.address)
        writer.append(destination.address)
        writer.append(type)
        writer.append(code)
        writer.append(UInt16(0))
        writer.append(UInt32(0))
        writer.append(body)
        // Over the pseudo header too (RFC 8200, section 8.1): both addresses, length and protocol.
        var checksum = InternetChecksum()
        unsafe checksum.add(writer.bytes.span.bytes.extracting(start - 32..<start + count))
        checksum.add(UInt32(count))
        checksum.add(UInt16(IPv6Header.icmp))
        writer.replace(at: start + 2, with: checksum.value)
        return writer.bytes
    }

    /// The headers of a frame with a TCP segment whose data is `payload`, to be sent behind them.
    static func tcp(
        _ header: TCPHeader, from source: Endpoint, to destination: Endpoint, payload: UnsafeRawBufferPointer
    ) -> [UInt8] {
        let headerCount = 20 + options(of: header).count
        var writer = FrameWriter(capacity: 34 + headerCount)
        writer.appendEthernet(from: source.mac, to: destination.mac, type: EthernetHeader.ipv4)
        writer.appendIPv4(
            from: source.address, to: destination.address, transport: IPv4Header.tcp,
            payloadCount: headerCount + payload.count)
        let checksum = pseudoHeader(
            from: source.address, to: destination.address, transport: IPv4Header.tcp, count: headerCount + payload.count
        )
        unsafe writer.appendTCP(header, payload: payload, checksum: checksum)
        return writer.bytes
    }

    /// An ARP packet (RFC 826) for IPv4 over Ethernet, padded to Ethernet's minimum.
    static func arp(
        operation: UInt16, sender: Endpoint, target: Endpoint, destination: MACAddress
    ) -> [UInt8] {
        var writer = FrameWriter(capacity: 60)
        writer.appendEthernet(from: sender.mac, to: destination, type: EthernetHeader.arp)
        writer.append(UInt16(1))
        writer.append(EthernetHeader.ipv4)
        writer.append(UInt16(0x0604))
        writer.append(operation)
        writer.append(sender.mac)
        writer.append(sender.address)
        writer.append(target.mac)
        writer.append(target.address)
        writer.append([UInt8](repeating: 0, count: 18))
        return writer.bytes
    }
}
