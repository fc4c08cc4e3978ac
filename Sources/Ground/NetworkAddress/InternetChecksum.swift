/// The checksum of IP, ICMP, UDP and TCP (RFC 1071): the complement of the one's complement sum of 16-bit words.
public struct InternetChecksum {
    @usableFromInline var sum: UInt64 = 0

    @inlinable public init() {}

    /// Adds bytes. Only the last piece may have an odd length.
    public mutating func add(_ bytes: RawSpan) { unsafe bytes.withUnsafeBytes { unsafe add($0) } }

    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        // The sum is the same in any byte order (RFC 1071, section 2.B), so native words do, 32 bits at a time: 2^32 of
        // them fit the accumulator.
        var offset = 0
        var first: UInt64 = 0
        var second: UInt64 = 0
        while offset &+ 16 <= bytes.count {
            first &+= UInt64(unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            second &+= UInt64(unsafe bytes.loadUnaligned(fromByteOffset: offset &+ 4, as: UInt32.self))
            first &+= UInt64(unsafe bytes.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt32.self))
            second &+= UInt64(unsafe bytes.loadUnaligned(fromByteOffset: offset &+ 12, as: UInt32.self))
            offset &+= 16
        }
        var total = Self.fold(first) &+ Self.fold(second)
        while offset &+ 2 <= bytes.count {
            total &+= UInt64(unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset &+= 2
        }
        if offset < bytes.count { total &+= UInt64(UInt16(littleEndian: UInt16(unsafe bytes[offset]))) }
        sum = Self.fold(sum &+ total)
    }

    /// Adds a number as it stands on the wire.
    @inlinable public mutating func add(_ value: UInt16) { sum = Self.fold(sum &+ UInt64(value.bigEndian)) }
    @inlinable public mutating func add(_ value: UInt32) {
        add(UInt16(truncatingIfNeeded: value >> 16))
        add(UInt16(truncatingIfNeeded: value))
    }

    /// The field's value, to be written with its high byte first. Zero over data that includes a right checksum.
    @inlinable public var value: UInt16 { UInt16(bigEndian: ~UInt16(truncatingIfNeeded: sum)) }

    @inlinable static func fold(_ sum: UInt64) -> UInt64 {
        var sum = sum
        while sum > 0xffff { sum = (sum & 0xffff) &+ (sum >> 16) }
        return sum
    }
}
