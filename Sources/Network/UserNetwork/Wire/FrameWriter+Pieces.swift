import LinuxSystem
import NetworkAddress

extension FrameWriter {
    /// The frames with a UDP datagram: one, or several with the pieces of a packet that is longer than `mtu` (RFC 791,
    /// section 3.2).
    /// - Parameters:
    ///   - payload: At most 65,507 bytes.
    ///   - mtu: The largest IP packet, in bytes.
    ///   - identification: Tells the pieces of one packet from those of the next.
    static func udp(
        from source: Endpoint, to destination: Endpoint, payload: [UInt8], mtu: Int, identification: UInt16
    ) -> [[UInt8]] {
        let whole = udp(from: source, to: destination, payload: payload)
        let start = EthernetHeader.count + 20
        guard whole.count > EthernetHeader.count + mtu else { return [whole] }
        // Every piece but the last has a multiple of eight bytes.
        let size = (mtu - 20) / 8 * 8
        return stride(from: start, to: whole.count, by: size).map { position in
            let end = min(position + size, whole.count)
            var writer = FrameWriter(capacity: start + end - position)
            writer.appendEthernet(from: source.mac, to: destination.mac, type: EthernetHeader.ipv4)
            writer.appendIPv4(
                from: source.address, to: destination.address, transport: IPv4Header.udp, payloadCount: end - position)
            writer.replace(at: 18, with: identification)
            let more: UInt16 = end < whole.count ? 0x2000 : 0
            writer.replace(at: 20, with: more | UInt16(truncatingIfNeeded: (position - start) / 8))
            writer.replace(at: 24, with: 0)
            var checksum = InternetChecksum()
            unsafe checksum.add(writer.bytes.span.bytes.extracting(EthernetHeader.count..<start))
            writer.replace(at: 24, with: checksum.value)
            writer.append(Array(whole[position..<end]))
            return writer.bytes
        }
    }
}
