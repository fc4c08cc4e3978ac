import NetworkAddress

extension InternetChecksum {
    /// Completes the checksum that a driver left to the device (Virtio 1.2, section 5.1.6.2): its field holds the sum
    /// of the pseudo header.
    /// - Parameters:
    ///   - start: Where summing begins, in bytes from the start of the frame; it goes on to the end.
    ///   - offset: From there to the field.
    /// - Returns: Whether the field lies inside the frame.
    static func complete(_ frame: UnsafeMutableRawPointer, count: Int, start: Int, offset: Int) -> Bool {
        guard start >= 0, offset >= 0, start + offset + 2 <= count else { return false }
        var checksum = InternetChecksum()
        unsafe checksum.add(UnsafeRawBufferPointer(start: frame + start, count: count - start))
        // 0 would say "no checksum" in UDP; its other form means the same number.
        let value = checksum.value == 0 ? 0xffff : checksum.value
        unsafe (frame + start + offset).storeBytes(of: value.bigEndian, as: UInt16.self)
        return true
    }
}
