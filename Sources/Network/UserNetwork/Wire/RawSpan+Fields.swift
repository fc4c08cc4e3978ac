import NetworkAddress
import NetworkControl

// What arrives from a guest is read through these: big-endian, and nil wherever the frame is too short.
extension RawSpan {
    func uint8(_ offset: Int) -> UInt8? {
        guard offset >= 0, offset < byteCount else { return nil }
        return unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    func uint16(_ offset: Int) -> UInt16? {
        guard offset >= 0, byteCount >= 2, offset <= byteCount - 2 else { return nil }
        return UInt16(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    func uint32(_ offset: Int) -> UInt32? {
        guard offset >= 0, byteCount >= 4, offset <= byteCount - 4 else { return nil }
        return UInt32(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    func uint64(_ offset: Int) -> UInt64? {
        guard let high = uint32(offset), let low = uint32(offset + 4) else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }

    func mac(_ offset: Int) -> MACAddress? {
        guard let high = uint16(offset), let low = uint32(offset + 2) else { return nil }
        return MACAddress(rawValue: UInt64(high) << 32 | UInt64(low))
    }

    func address(_ offset: Int) -> IPv4Address? { uint32(offset).map(IPv4Address.init(rawValue:)) }

    /// A copy of a part; empty where the part lies outside.
    func copy(from offset: Int, count: Int) -> [UInt8] {
        guard offset >= 0, count > 0, offset <= byteCount, count <= byteCount - offset else { return [] }
        return unsafe withUnsafeBytes { unsafe Array($0[offset..<offset + count]) }
    }
}
