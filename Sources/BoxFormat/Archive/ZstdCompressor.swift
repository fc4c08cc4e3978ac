internal import CLinux
internal import CZstd

/// Zstandard (RFC 8878) on all processors.
@safe final class ZstdCompressor: Compressor {
    private let stream: OpaquePointer
    private let target: ArchiveTarget
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)

    init(level: Int, target: ArchiveTarget) throws {
        guard let stream = unsafe ZSTD_createCCtx() else { throw BoxError.outOfMemory }
        unsafe self.stream = stream
        self.target = target
        let threads = max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))
        unsafe ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, CInt(clamping: level))
        unsafe ZSTD_CCtx_setParameter(stream, ZSTD_c_checksumFlag, 1)
        // The output of worker threads does not depend on how many there are, but differs from that of none. A library
        // without threads refuses this, and its output is then its own.
        unsafe ZSTD_CCtx_setParameter(stream, ZSTD_c_nbWorkers, CInt(clamping: threads))
    }

    deinit {
        unsafe ZSTD_freeCCtx(stream)
        unsafe buffer.deallocate()
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var input = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        while unsafe input.pos < input.size { _ = try unsafe step(&input, ZSTD_e_continue) }
    }

    func finish() throws {
        var input = unsafe ZSTD_inBuffer(src: nil, size: 0, pos: 0)
        while try unsafe step(&input, ZSTD_e_end) != 0 {}
    }

    /// - Returns: What the library still holds; 0 at the end.
    private func step(_ input: inout ZSTD_inBuffer, _ directive: ZSTD_EndDirective) throws -> Int {
        var output = unsafe ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        let left = unsafe ZSTD_compressStream2(stream, &output, &input, directive)
        guard ZSTD_isError(left) == 0 else { throw BoxError.outOfMemory }
        try unsafe target.write(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<output.pos]))
        return left
    }
}
