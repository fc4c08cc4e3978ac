import CZlib
import CZstd
import Glibc

/// Memory and decompressors for one request at a time, made once and used again, so that requests allocate nothing.
@safe final class RequestScratch: @unchecked Sendable {
    // Unchecked: one request owns it between `ScratchPool.take` and `ScratchPool.give`.
    let clusterSize: Int
    /// One cluster.
    let cluster: UnsafeMutableRawBufferPointer
    /// Where in the file the compressed bytes were that ``cluster`` holds the content of; 0 if it holds something else.
    var decompressedHost: UInt64 = 0
    /// A compressed cluster at its longest: 2^(cluster bits - 8) sectors.
    private var compressed: UnsafeMutableRawBufferPointer?
    private var inflater: UnsafeMutablePointer<z_stream>?
    private var zstd: OpaquePointer?

    init(geometry: ClusterGeometry) {
        clusterSize = Int(geometry.clusterSize)
        unsafe cluster = UnsafeMutableRawBufferPointer.allocate(byteCount: clusterSize, alignment: 4096)
    }

    deinit {
        unsafe cluster.deallocate()
        unsafe compressed?.deallocate()
        if let inflater = unsafe inflater {
            unsafe inflateEnd(inflater)
            unsafe inflater.deallocate()
        }
        unsafe ZSTD_freeDCtx(zstd)
    }

    /// Room for `count` compressed bytes.
    func compressedBytes(count: Int) -> UnsafeMutableRawBufferPointer {
        let buffer: UnsafeMutableRawBufferPointer
        if let present = unsafe compressed {
            unsafe buffer = present
        } else {
            unsafe buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * clusterSize, alignment: 4096)
            unsafe compressed = buffer
        }
        return unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(count, buffer.count)])
    }

    /// Decompresses `source` into ``cluster``.
    /// - Returns: Whether it was one whole cluster; never writes more than that, whatever the source says.
    func decompress(_ source: UnsafeRawBufferPointer, _ compression: QcowHeader.Compression) throws(DiskImageError)
        -> Bool
    {
        decompressedHost = 0
        return switch compression {
        case .deflate: try unsafe inflate(source)
        case .zstd: try unsafe decompressZstd(source)
        }
    }

    private func inflate(_ source: UnsafeRawBufferPointer) throws(DiskImageError) -> Bool {
        let stream = try unsafe preparedInflater()
        guard let input = source.baseAddress, let output = unsafe cluster.baseAddress else { return false }
        // zlib does not write to its input; its interface only lacks the const.
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.assumingMemoryBound(to: Bytef.self))
        unsafe stream.pointee.avail_in = uInt(source.count)
        unsafe stream.pointee.next_out = output.assumingMemoryBound(to: Bytef.self)
        unsafe stream.pointee.avail_out = uInt(clusterSize)
        let status = unsafe CZlib.inflate(stream, Z_FINISH)
        // Z_BUF_ERROR: the cluster is full, and what follows is only the stream's end or padding.
        let isDone = status == Z_STREAM_END || status == Z_BUF_ERROR
        return unsafe isDone && stream.pointee.avail_out == 0
    }

    private func preparedInflater() throws(DiskImageError) -> UnsafeMutablePointer<z_stream> {
        if let inflater = unsafe inflater {
            unsafe inflateReset(inflater)
            return unsafe inflater
        }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // Raw deflate. Writers use a window of 2^12 bytes; accepting any window costs only memory.
        guard unsafe zlib_inflate_init(stream, -15) == Z_OK else {
            unsafe stream.deallocate()
            throw .outOfMemory
        }
        unsafe inflater = stream
        return unsafe stream
    }

    private func decompressZstd(_ source: UnsafeRawBufferPointer) throws(DiskImageError) -> Bool {
        if unsafe zstd == nil { unsafe zstd = ZSTD_createDCtx() }
        guard let context = unsafe zstd else { throw .outOfMemory }
        guard let input = source.baseAddress, let output = unsafe cluster.baseAddress else { return false }
        // One or several frames, then padding up to a sector. Decoding frame by frame into the final place needs no
        // window.
        var consumed = 0
        var produced = 0
        while produced < clusterSize {
            let count = unsafe ZSTD_findFrameCompressedSize(input + consumed, source.count - consumed)
            guard ZSTD_isError(count) == 0, count > 0, count <= source.count - consumed else { return false }
            let result = unsafe ZSTD_decompressDCtx(
                context, output + produced, clusterSize - produced, input + consumed, count)
            guard ZSTD_isError(result) == 0 else { return false }
            consumed += count
            produced += result
        }
        return true
    }
}

/// Scratch memory for as many requests as are under way at once. Guarded by its image's lock.
struct ScratchPool {
    /// In bytes, of what is kept between requests.
    private static let keptBytes = 2 << 20

    private var free: [RequestScratch] = []
    private let geometry: ClusterGeometry
    /// Enough for a request of each processor at clusters of the usual size.
    private let limit: Int

    init(geometry: ClusterGeometry) {
        self.geometry = geometry
        // The cluster, and its compressed bytes at their longest.
        limit = max(2, min(32, Self.keptBytes / (3 * Int(geometry.clusterSize))))
        free.reserveCapacity(limit)
    }

    /// - Parameter host: Prefer the scratch that holds the content of the compressed cluster at this place.
    mutating func take(decompressed host: UInt64 = 0) -> RequestScratch {
        if host != 0, let index = free.lastIndex(where: { $0.decompressedHost == host }) {
            free.swapAt(index, free.count - 1)
        }
        return free.popLast() ?? RequestScratch(geometry: geometry)
    }

    mutating func give(_ scratch: RequestScratch) {
        if free.count < limit { free.append(scratch) }
    }
}
