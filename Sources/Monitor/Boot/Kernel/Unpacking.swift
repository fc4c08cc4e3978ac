internal import CLZ4
internal import CLZMA
internal import CZlib
internal import CZstd
internal import LinuxSystem

/// Unpacks the kernel inside a bzImage, using memory within the declared size.
enum Unpacking {
    /// Larger kernels are refused, in bytes.
    static let sizeLimit = 512 << 20

    enum Codec: String {
        case gzip, xz, zstd, lz4

        /// By the first bytes; nil if they are none of a known codec.
        init?(_ packed: UnsafeRawBufferPointer) {
            switch unsafe Array(packed.prefix(4)) {
            case let magic where magic.starts(with: [0x1f, 0x8b]): self = .gzip
            case [0xfd, 0x37, 0x7a, 0x58]: self = .xz
            case [0x28, 0xb5, 0x2f, 0xfd]: self = .zstd
            case [0x02, 0x21, 0x4c, 0x18]: self = .lz4
            default: return nil
            }
        }
    }

    enum Problem: Error, Equatable {
        case unknownCodec
        case size(Int)
        case corrupt(Codec)
        case noMemory
    }

    /// - Parameter size: What the unpacked kernel must have, exactly, in bytes.
    static func unpack(_ packed: UnsafeRawBufferPointer, size: Int) throws(Problem) -> MemoryMapping {
        guard let codec = unsafe Codec(packed) else { throw .unknownCodec }
        guard size > 0, size <= sizeLimit else { throw .size(size) }
        guard let output = try? MemoryMapping.anonymous(count: size) else { throw .noMemory }
        let written: Int? =
            switch codec {
            case .gzip: unsafe inflateAll(packed, into: output.bytes)
            case .xz: unsafe unpackXZ(packed, into: output.bytes)
            case .zstd: unsafe unpackZstd(packed, into: output.bytes)
            case .lz4: unsafe unpackLZ4(packed, into: output.bytes)
            }
        guard written == size else { throw .corrupt(codec) }
        return output
    }

    private static func inflateAll(_ packed: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int?
    {
        guard let input = UInt32(exactly: packed.count), let room = UInt32(exactly: output.count) else { return nil }
        var stream = unsafe z_stream()
        unsafe stream.next_in = UnsafeMutablePointer(mutating: packed.bindMemory(to: UInt8.self).baseAddress)
        unsafe stream.avail_in = input
        unsafe stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
        unsafe stream.avail_out = room
        // 16 + 15: a gzip header, the largest window.
        guard unsafe zlib_inflate_init(&stream, 31) == Z_OK else { return nil }
        defer { unsafe inflateEnd(&stream) }
        guard unsafe inflate(&stream, Z_FINISH) == Z_STREAM_END else { return nil }
        return unsafe output.count - Int(stream.avail_out)
    }

    private static func unpackXZ(_ packed: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
        var memoryLimit: UInt64 = 256 << 20
        var (read, written) = (0, 0)
        let status = unsafe lzma_stream_buffer_decode(
            &memoryLimit, 0, nil, packed.bindMemory(to: UInt8.self).baseAddress, &read, packed.count,
            output.bindMemory(to: UInt8.self).baseAddress, &written, output.count)
        return status == LZMA_OK ? written : nil
    }

    private static func unpackZstd(_ packed: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int?
    {
        let result = unsafe ZSTD_decompress(output.baseAddress, output.count, packed.baseAddress, packed.count)
        return ZSTD_isError(result) == 0 ? result : nil
    }

    /// The legacy frame: a magic number, then blocks of at most 8 MiB, each behind its packed size.
    private static func unpackLZ4(_ packed: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int?
    {
        let reader = unsafe ByteReader(packed)
        var position = 4
        var written = 0
        while position < packed.count {
            guard let size = reader.load(UInt32.self, at: position),
                let block = unsafe reader.slice(at: UInt64(position) + 4, count: UInt64(size)),
                let source = block.baseAddress, let target = output.baseAddress
            else { return nil }
            let room = min(output.count - written, 8 << 20)
            let count = unsafe LZ4_decompress_safe(
                source.assumingMemoryBound(to: CChar.self), (target + written).assumingMemoryBound(to: CChar.self),
                CInt(clamping: block.count), CInt(room))
            guard count > 0 else { return nil }
            written += Int(count)
            position += 4 + block.count
        }
        return written
    }
}
