/// The little-endian fields of a device's configuration space, as bytes.
struct ConfigurationFields: Sendable {
    private(set) var bytes: [UInt8]

    init(byteCount: Int) { bytes = Array(repeating: 0, count: byteCount) }

    mutating func set<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        guard offset >= 0, offset + T.bitWidth / 8 <= bytes.count else { return }
        for index in 0..<T.bitWidth / 8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> T(8 * index)) }
    }

    mutating func set(_ values: [UInt8], at offset: Int) {
        for (index, byte) in values.enumerated() where bytes.indices.contains(offset + index) {
            bytes[offset + index] = byte
        }
    }

    /// Bytes behind the end read as 0.
    func load(at offset: Int, count: Int) -> UInt64 {
        guard (1...8).contains(count), offset >= 0, offset <= bytes.count else { return 0 }
        var value: UInt64 = 0
        for index in 0..<count where offset + index < bytes.count {
            value |= UInt64(bytes[offset + index]) << UInt64(8 * index)
        }
        return value
    }
}
