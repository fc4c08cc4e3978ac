internal import CZlib

/// gzip (RFC 1952), without name and time, so that the same content gives the same bytes.
@safe final class GzipCompressor: Compressor {
    private var stream = unsafe z_stream()
    private let target: ArchiveTarget
    private let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 256 << 10)

    init(level: Int, target: ArchiveTarget) throws {
        self.target = target
        let gzipWindow: CInt = 15 + 16
        let status = unsafe deflateInit2_(
            &stream, CInt(clamping: level), Z_DEFLATED, gzipWindow, 8, Z_DEFAULT_STRATEGY, zlibVersion(),
            CInt(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw BoxError.outOfMemory }
    }

    deinit {
        unsafe deflateEnd(&stream)
        unsafe buffer.deallocate()
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = unsafe bytes
        while unsafe !rest.isEmpty {
            let piece = unsafe UnsafeMutableRawBufferPointer(
                mutating: UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30)))
            unsafe stream.next_in = piece.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.avail_in = UInt32(piece.count)
            while unsafe stream.avail_in > 0 { _ = try step(Z_NO_FLUSH) }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
        }
    }

    func finish() throws {
        unsafe stream.avail_in = 0
        while try step(Z_FINISH) != Z_STREAM_END {}
    }

    private func step(_ flush: CInt) throws -> CInt {
        unsafe stream.next_out = buffer.baseAddress
        unsafe stream.avail_out = UInt32(buffer.count)
        let status = unsafe deflate(&stream, flush)
        guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else { throw BoxError.outOfMemory }
        let count = unsafe buffer.count - Int(stream.avail_out)
        try unsafe target.write(
            UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<count])))
        return status
    }
}
