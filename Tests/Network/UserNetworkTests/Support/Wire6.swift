/// IPv6 packets built byte by byte from the RFCs, not by the code under test.
enum Wire6 {
    /// The prefix of 10.77.0.0/24's network.
    static let prefix: UInt64 = 0xfd77_0a4d_0000_0000

    static func address(_ high: UInt64, _ low: UInt64) -> [UInt8] {
        Wire.number(high, bytes: 8) + Wire.number(low, bytes: 8)
    }
    /// What the numbered peer's card forms of its Ethernet address.
    static func own(_ number: UInt64, _ high: UInt64 = 0xfe80_0000_0000_0000) -> [UInt8] {
        address(high, 0x5054_00ff_fe00_0000 + number)
    }

    /// - Parameter length: The length field, where it is not the payload's.
    static func packet(
        from source: [UInt8], to destination: [UInt8], next: UInt8, _ payload: [UInt8], length: Int? = nil,
        hopLimit: UInt8 = 64
    ) -> [UInt8] {
        [0x60, 0, 0, 0] + Wire.be16(length ?? payload.count) + [next, hopLimit] + source + destination + payload
    }

    /// A message with its checksum (RFC 4443, section 2.3).
    static func message(from source: [UInt8], to destination: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var message = message
        let pseudo = source + destination + Wire.be32(message.count) + [0, 0, 0, 58]
        message.replaceSubrange(2..<4, with: Wire.be16(Wire.checksum(pseudo + message)))
        return message
    }

    static func icmp(
        from source: [UInt8], to destination: [UInt8], _ message: [UInt8], hopLimit: UInt8 = 64
    ) -> [UInt8] {
        packet(
            from: source, to: destination, next: 58, Self.message(from: source, to: destination, message),
            hopLimit: hopLimit)
    }

    static func tcp(from source: ([UInt8], UInt16), to destination: ([UInt8], UInt16), flags: UInt8) -> [UInt8] {
        var segment =
            Wire.be16(source.1) + Wire.be16(destination.1) + [0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff]
        segment += [0, 0, 0, 0]
        let pseudo = source.0 + destination.0 + Wire.be32(segment.count) + [0, 0, 0, 6]
        segment.replaceSubrange(16..<18, with: Wire.be16(Wire.checksum(pseudo + segment)))
        return packet(from: source.0, to: destination.0, next: 6, segment)
    }

    static func udp(from source: ([UInt8], UInt16), to destination: ([UInt8], UInt16), _ payload: [UInt8]) -> [UInt8] {
        let datagram = Wire.be16(source.1) + Wire.be16(destination.1) + Wire.be16(8 + payload.count) + [0, 0] + payload
        return packet(from: source.0, to: destination.0, next: 17, datagram)
    }

    /// Whether an ICMPv6 message's sum is right.
    static func isSound(_ frame: Seen) -> Bool {
        let message = frame.slice(54..<54 + Int(frame.number(18, 2)))
        return Wire.checksum(frame.slice(22..<54) + Wire.be32(message.count) + [0, 0, 0, 58] + message) == 0
    }
}
