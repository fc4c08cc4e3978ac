extension [UInt8] {
    /// Writes an integer in little-endian order over the bytes at `offset`.
    mutating func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        for byte in 0..<MemoryLayout<T>.size {
            self[offset + byte] = UInt8(truncatingIfNeeded: value >> T(truncatingIfNeeded: 8 * byte))
        }
    }

    /// Appends an integer in little-endian order.
    mutating func append<T: FixedWidthInteger>(little value: T) {
        for byte in 0..<MemoryLayout<T>.size {
            append(UInt8(truncatingIfNeeded: value >> T(truncatingIfNeeded: 8 * byte)))
        }
    }
}

/// Reads little-endian integers from bytes that may be too short.
@safe struct ByteReader {
    private let bytes: UnsafeRawBufferPointer

    /// - Parameter bytes: Must outlive the reader.
    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

    /// Calls `body` with a reader of an array's bytes.
    static func reading<Result, Failure: Error>(
        _ bytes: ArraySlice<UInt8>, _ body: (ByteReader) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let outcome: Swift.Result<Result, Failure> = unsafe bytes.withUnsafeBytes { buffer in
            do throws(Failure) { return .success(try body(unsafe ByteReader(buffer))) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    var count: Int { unsafe bytes.count }

    /// nil if any byte of the integer is missing.
    func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type = T.self, at offset: Int) -> T? {
        guard offset >= 0, offset <= count - MemoryLayout<T>.size else { return nil }
        // SAFETY: in range, as just checked.
        return T(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// nil unless the whole range is there.
    func slice(at offset: UInt64, count length: UInt64) -> UnsafeRawBufferPointer? {
        guard let offset = Int(exactly: offset), let length = Int(exactly: length), offset <= count,
            length <= count - offset
        else { return nil }
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
    }
}
