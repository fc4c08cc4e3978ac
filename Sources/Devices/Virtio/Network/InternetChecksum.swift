/// The ones' complement sum of the Internet protocols (RFC 1071).
enum InternetChecksum {
    /// Sums `count` bytes as 16-bit words in memory order; the result is in memory order too, so no byte is swapped.
    static func sum(_ bytes: UnsafeRawPointer, count: Int) -> UInt16 {
        var total: UInt64 = 0
        var offset = 0
        // Eight bytes at a time, as two halves whose carries have room for 2^32 additions.
        while offset &+ 8 <= count {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            total &+= word & 0xffff_ffff
            total &+= word >> 32
            offset &+= 8
        }
        while offset &+ 2 <= count {
            total &+= UInt64(unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset &+= 2
        }
        if offset < count {
            // As if a zero byte followed.
            total &+= UInt64(UInt16(littleEndian: UInt16(unsafe bytes.load(fromByteOffset: offset, as: UInt8.self))))
        }
        while total > 0xffff { total = (total & 0xffff) &+ (total >> 16) }
        return UInt16(truncatingIfNeeded: total)
    }

    /// Completes the checksum that a driver left to the device (Virtio 1.2, section 5.1.6.2): its field holds the sum
    /// of the pseudo header.
    /// - Parameters:
    ///   - start: Where summing begins, in bytes from the start of the frame; it goes on to the end.
    ///   - offset: From there to the field.
    /// - Returns: Whether the field lies inside the frame.
    static func complete(_ frame: UnsafeMutableRawPointer, count: Int, start: Int, offset: Int) -> Bool {
        guard start >= 0, offset >= 0, start + offset + 2 <= count else { return false }
        let result = unsafe ~sum(UnsafeRawPointer(frame + start), count: count - start)
        // 0 would say "no checksum" in UDP; its other form means the same number.
        let value = result == 0 ? 0xffff : result
        unsafe (frame + start + offset).storeBytes(of: value, as: UInt16.self)
        return true
    }
}
