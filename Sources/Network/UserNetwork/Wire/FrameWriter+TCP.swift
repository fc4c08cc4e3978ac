import LinuxSystem
import NetworkAddress
import NetworkControl

extension FrameWriter {
    static func options(of header: TCPHeader) -> [UInt8] {
        var options: [UInt8] = []
        if let size = header.maximumSegmentSize { options += [2, 4, UInt8(size >> 8), UInt8(size & 0xff)] }
        if let shift = header.windowShift { options += [1, 3, 3, shift] }
        return options
    }

    /// The header of a TCP segment whose data is `payload`, to be sent behind it.
    /// - Parameter checksum: Over the pseudo header.
    mutating func appendTCP(_ header: TCPHeader, payload: UnsafeRawBufferPointer, checksum: InternetChecksum) {
        let start = bytes.count
        let options = Self.options(of: header)
        append(header.source)
        append(header.destination)
        append(header.sequence)
        append(header.acknowledgement)
        append(UInt8((20 + options.count) / 4) << 4)
        append(header.flags.rawValue)
        append(header.window)
        append(UInt32(0))
        append(options)
        var checksum = checksum
        unsafe checksum.add(bytes.span.bytes.extracting(start..<bytes.count))
        unsafe checksum.add(payload)
        replace(at: start + 16, with: checksum.value)
    }

    /// The headers of an IPv6 frame with a TCP segment, as ``tcp(_:from:to:payload:)``.
    static func tcp6(
        _ header: TCPHeader, from source: (mac: MACAddress, address: IPv6Address),
        to destination: (mac: MACAddress, address: IPv6Address), payload: UnsafeRawBufferPointer
    ) -> [UInt8] {
        let count = 20 + options(of: header).count + payload.count
        var writer = FrameWriter(capacity: EthernetHeader.count + 40 + count - payload.count)
        writer.appendEthernet(from: source.mac, to: destination.mac, type: EthernetHeader.ipv6)
        writer.append(UInt32(0x6000_0000))
        writer.append(UInt16(truncatingIfNeeded: count))
        writer.append(IPv4Header.tcp)
        writer.append(UInt8(64))
        for half in [source.address.high, source.address.low, destination.address.high, destination.address.low] {
            writer.append(UInt32(truncatingIfNeeded: half >> 32))
            writer.append(UInt32(truncatingIfNeeded: half))
        }
        let checksum = pseudoHeader(
            from: source.address, to: destination.address, transport: IPv4Header.tcp, count: count)
        unsafe writer.appendTCP(header, payload: payload, checksum: checksum)
        return writer.bytes
    }

    /// The sum that stands before an upper layer's own (RFC 8200, section 8.1).
    static func pseudoHeader(
        from source: IPv6Address, to destination: IPv6Address, transport: UInt8, count: Int
    ) -> InternetChecksum {
        var checksum = InternetChecksum()
        for half in [source.high, source.low, destination.high, destination.low] {
            checksum.add(UInt32(truncatingIfNeeded: half >> 32))
            checksum.add(UInt32(truncatingIfNeeded: half))
        }
        checksum.add(UInt32(truncatingIfNeeded: count))
        checksum.add(UInt16(transport))
        return checksum
    }
}
