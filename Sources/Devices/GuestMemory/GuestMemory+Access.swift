extension GuestMemory {
    /// The host address of `count` bytes of guest RAM; nil unless every one of them is RAM.
    ///
    /// The one place where guest addresses become host pointers. The pointer lives as long as the guest memory.
    /// - Parameters:
    ///   - address: Guest-physical, in bytes, of any alignment.
    ///   - count: In bytes. A negative one is never in RAM; 0 bytes are if `address` is, or is just behind RAM.
    @inlinable
    public func hostPointer(at address: UInt64, count: Int) -> UnsafeMutableRawPointer? {
        let length = UInt64(bitPattern: Int64(count))
        if length <= lowCount, address <= lowCount &- length {
            return unsafe base + Int(truncatingIfNeeded: address)
        }
        let offset = address &- Self.highStart
        if address >= Self.highStart, length <= highCount, offset <= highCount &- length {
            return unsafe base + Int(truncatingIfNeeded: lowCount &+ offset)
        }
        return nil
    }

    /// Like ``hostPointer(at:count:)``, for callers for which an address outside RAM is an error.
    public func hostBytes(at address: UInt64, count: Int) throws(GuestMemoryError) -> UnsafeMutableRawPointer {
        guard let pointer = unsafe hostPointer(at: address, count: count) else {
            throw .outOfRange(address: address, count: count)
        }
        return unsafe pointer
    }

    /// Whether all of `count` bytes at `address` are RAM.
    public func contains(_ address: UInt64, count: Int) -> Bool { unsafe hostPointer(at: address, count: count) != nil }

    /// Copies a little-endian integer out of guest RAM.
    /// - Parameter address: Guest-physical, in bytes; it need not be aligned.
    /// - Throws: ``GuestMemoryError/outOfRange(address:count:)`` if any byte of the integer lies outside RAM.
    public func load<T: FixedWidthInteger & BitwiseCopyable>(
        _: T.Type = T.self, at address: UInt64
    ) throws(GuestMemoryError) -> T {
        let bytes = try unsafe hostBytes(at: address, count: MemoryLayout<T>.size)
        // SAFETY: in range, as just checked. The guest may write at any time: read once, then only the copy is used.
        return T(littleEndian: unsafe bytes.loadUnaligned(as: T.self))
    }

    /// Writes an integer into guest RAM in little-endian order.
    /// - Parameter address: Guest-physical, in bytes; it need not be aligned.
    public func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at address: UInt64) throws(GuestMemoryError) {
        let bytes = try unsafe hostBytes(at: address, count: MemoryLayout<T>.size)
        // SAFETY: in range, as just checked.
        unsafe bytes.storeBytes(of: value.littleEndian, as: T.self)
    }

    /// Copies guest RAM into a buffer, all of which is filled.
    public func copyBytes(from address: UInt64, to buffer: UnsafeMutableRawBufferPointer) throws(GuestMemoryError) {
        let bytes = try unsafe hostBytes(at: address, count: buffer.count)
        if let target = buffer.baseAddress { unsafe target.copyMemory(from: bytes, byteCount: buffer.count) }
    }

    /// Copies a buffer into guest RAM.
    public func copyBytes(from buffer: UnsafeRawBufferPointer, to address: UInt64) throws(GuestMemoryError) {
        let bytes = try unsafe hostBytes(at: address, count: buffer.count)
        if let source = buffer.baseAddress { unsafe bytes.copyMemory(from: source, byteCount: buffer.count) }
    }

    /// Writes bytes into guest RAM.
    public func store(bytes: [UInt8], at address: UInt64) throws(GuestMemoryError) {
        let target = try unsafe hostBytes(at: address, count: bytes.count)
        unsafe bytes.withUnsafeBytes { source in
            if let start = source.baseAddress { unsafe target.copyMemory(from: start, byteCount: source.count) }
        }
    }

    /// A copy of `count` bytes. Allocates: for set-up and tests, never with a count that the guest chose.
    public func loadBytes(at address: UInt64, count: Int) throws(GuestMemoryError) -> [UInt8] {
        let source = try unsafe hostBytes(at: address, count: count)
        return unsafe [UInt8](UnsafeRawBufferPointer(start: source, count: count))
    }

    /// Fills guest RAM with one byte.
    public func fill(at address: UInt64, count: Int, with byte: UInt8 = 0) throws(GuestMemoryError) {
        let bytes = try unsafe hostBytes(at: address, count: count)
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: byte, count: count)
    }
}
