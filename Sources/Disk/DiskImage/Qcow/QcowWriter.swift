import CZlib
import CZstd

/// Fills a new qcow2 image from front to back: clusters in the order of the disk, then each table after its clusters.
///
/// It reads nothing back except for the refcounts, which come from the tables as they do when an image is closed.
final class QcowWriter {
    private let file: ImageFile
    private let header: QcowHeader
    let geometry: ClusterGeometry
    private var compressor: Compressor?
    /// Where the next bytes go. Compressed clusters follow each other without gaps.
    private var end: UInt64
    private var table: [UInt8]
    private var tableIndex: UInt64?

    /// - Parameter file: Holds an empty image.
    init(_ file: ImageFile, compression: ImageCompression) throws(DiskImageError) {
        self.file = file
        let size = try file.size()
        header = try QcowImage.readHeader(file, size: size)
        geometry = header.geometry
        end = geometry.roundUp(size)
        table = [UInt8](repeating: 0, count: Int(header.geometry.clusterSize))
        compressor =
            try compression == .none ? nil : Compressor(compression, clusterSize: Int(header.geometry.clusterSize))
    }

    /// Adds one cluster of the disk, behind those that were added before.
    /// - Parameter bytes: One cluster; less only at the end of the disk.
    func add(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskImageError) {
        let cluster = offset >> UInt64(geometry.clusterBits)
        try select(table: cluster / geometry.entriesPerTable)
        let entry: UInt64
        if let compressed = try unsafe compressor?.compress(bytes),
            let packed = ClusterEntry.compressed(at: end, count: UInt64(compressed.count), geometry: geometry)
        {
            try unsafe file.write(compressed, at: end)
            end += UInt64(compressed.count)
            entry = packed
        } else {
            end = geometry.roundUp(end)
            try unsafe file.write(bytes, at: end)
            entry = ClusterEntry.data(at: end)
            end += geometry.clusterSize
        }
        let place = Int(cluster % geometry.entriesPerTable) * 8
        table.replaceSubrange(place..<(place + 8), with: entry.bigEndianBytes)
    }

    /// Says of one cluster that it reads as zeroes whatever is behind the image.
    func addZeroes(at offset: UInt64) throws(DiskImageError) {
        let cluster = offset >> UInt64(geometry.clusterBits)
        try select(table: cluster / geometry.entriesPerTable)
        let place = Int(cluster % geometry.entriesPerTable) * 8
        table.replaceSubrange(place..<(place + 8), with: ClusterEntry.zeroFlag.bigEndianBytes)
    }

    private func select(table index: UInt64) throws(DiskImageError) {
        guard tableIndex != index else { return }
        try writeTable()
        tableIndex = index
    }

    private func writeTable() throws(DiskImageError) {
        guard let index = tableIndex else { return }
        end = geometry.roundUp(end)
        try file.write(table, at: end)
        try file.write((end | ClusterEntry.exclusiveFlag).bigEndianBytes, at: header.level1Offset + index * 8)
        end += geometry.clusterSize
        table = [UInt8](repeating: 0, count: Int(geometry.clusterSize))
        tableIndex = nil
    }

    /// Writes what is left: the last table and the refcounts.
    func finish() throws(DiskImageError) {
        try writeTable()
        end = geometry.roundUp(end)
        try file.truncate(to: end)
        let walk = try MetadataWalk(file: file, header: header, stopAtFirstFinding: true)
        if let finding = walk.findings.first { throw .corrupt(finding.structure, offset: finding.offset) }
        var tables = try RefcountTables(file: file, header: header, references: walk.references)
        let result = try tables.write()
        try file.truncate(to: result.end)
    }
}

/// Compresses clusters one at a time.
@safe private final class Compressor {
    private let clusterSize: Int
    /// A cluster that does not become smaller is stored as it is.
    private let output: UnsafeMutableRawBufferPointer
    /// The last cluster of a disk is filled up with zeroes.
    private let padded: UnsafeMutableRawBufferPointer
    private var deflater: UnsafeMutablePointer<z_stream>?
    private let zstd: OpaquePointer?

    init(_ compression: ImageCompression, clusterSize: Int) throws(DiskImageError) {
        self.clusterSize = clusterSize
        unsafe output = UnsafeMutableRawBufferPointer.allocate(byteCount: clusterSize, alignment: 16)
        unsafe padded = UnsafeMutableRawBufferPointer.allocate(byteCount: clusterSize, alignment: 16)
        unsafe zstd = compression == .zstd ? ZSTD_createCCtx() : nil
        if compression == .deflate {
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            unsafe stream.initialize(to: z_stream())
            unsafe deflater = stream
            // A raw stream with a window of 2^12 bytes: what qcow2's other readers can decompress.
            guard unsafe zlib_deflate_init(stream, 6, -12) == Z_OK else { throw .outOfMemory }
        } else if unsafe zstd == nil {
            throw .outOfMemory
        }
    }

    deinit {
        unsafe output.deallocate()
        unsafe padded.deallocate()
        if let deflater = unsafe deflater {
            unsafe deflateEnd(deflater)
            unsafe deflater.deallocate()
        }
        unsafe ZSTD_freeCCtx(zstd)
    }

    /// - Returns: nil if the cluster does not become smaller. Valid until the next call.
    func compress(_ bytes: UnsafeRawBufferPointer) throws(DiskImageError) -> UnsafeRawBufferPointer? {
        var source = unsafe bytes
        if bytes.count < clusterSize {
            unsafe padded.initializeMemory(as: UInt8.self, repeating: 0)
            unsafe padded.copyMemory(from: bytes)
            unsafe source = UnsafeRawBufferPointer(padded)
        }
        guard let input = source.baseAddress, let target = unsafe output.baseAddress else { return nil }
        let count: Int
        if let zstd = unsafe zstd {
            let result = unsafe ZSTD_compressCCtx(zstd, target, clusterSize - 1, input, clusterSize, 3)
            guard ZSTD_isError(result) == 0 else { return nil }
            count = result
        } else if let stream = unsafe deflater {
            unsafe deflateReset(stream)
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.assumingMemoryBound(to: Bytef.self))
            unsafe stream.pointee.avail_in = uInt(clusterSize)
            unsafe stream.pointee.next_out = target.assumingMemoryBound(to: Bytef.self)
            unsafe stream.pointee.avail_out = uInt(clusterSize - 1)
            guard unsafe deflate(stream, Z_FINISH) == Z_STREAM_END else { return nil }
            count = unsafe clusterSize - 1 - Int(stream.pointee.avail_out)
        } else {
            return nil
        }
        return unsafe UnsafeRawBufferPointer(start: target, count: count)
    }
}
