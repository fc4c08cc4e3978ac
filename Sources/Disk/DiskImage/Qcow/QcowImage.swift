import LinuxSystem

/// A qcow2 image, version 2 or 3, with the images below it.
///
/// How writing stays safe against crashes: clusters are only taken past the end of the file, never freed while the
/// image is open, and not counted on the disk. Before the first L2 entry is written, the header is marked dirty, which
/// tells every reader to derive refcounts from the tables. Closing writes them and removes the mark. One order remains
/// to keep: a cluster's data before the L2 entry that points at it, a new L2 table before the L1 entry that points at
/// it. Both are kept by ``flush()``, the only place that writes tables.
///
/// Locking: `lock` guards all variables below. Data is read and written without it. A cluster that a request has
/// taken but not yet entered into its table is in `underWay`, and other writes to the same cluster wait for it. While a
/// flush writes tables, nobody changes them.
final class QcowImage: BlockStorage, @unchecked Sendable {
    // Unchecked: see "Locking" above. `diskSize` changes only in `resize`, while no other request is under way.
    let file: ImageFile
    let geometry: ClusterGeometry
    let version: UInt32
    let compression: QcowHeader.Compression
    let backing: (any BlockStorage)?
    let lock = ConditionLock()

    var header: QcowHeader
    var diskSize: UInt64
    /// In the machine's byte order, flags included.
    var level1: [UInt64]
    /// Indexes of L1 entries that are not on the disk yet.
    var dirtyLevel1: [Int] = []
    let slices: SliceCache
    var scratch: ScratchPool
    /// Where the next cluster is taken from.
    var allocationEnd: UInt64
    /// The file's size.
    var fileSize: UInt64
    /// What lies in the file behind `allocationEnd` is known to be zero.
    var isTailZero = false
    /// Clusters of the disk that have been given room but no table entry yet.
    var underWay: [ClusterRun] = []
    var isFlushing = false
    /// The header on the disk says that refcounts are not kept.
    var isMarkedDirty: Bool
    /// A write of metadata failed: what is on the disk is unknown.
    var hasFailed = false
    var isClosed = false

    /// - Parameters:
    ///   - backing: The disk behind the image; its range beyond the end reads as zeroes.
    ///   - cacheBytes: At most so much memory for L2 tables.
    init(_ file: ImageFile, backing: (any BlockStorage)?, cacheBytes: Int = 1 << 20) throws(DiskImageError) {
        let size = try file.size()
        let header = try Self.readHeader(file, size: size)
        if file.isWritable { try Self.checkWritable(header) }
        self.file = file
        self.header = header
        self.backing = backing
        geometry = header.geometry
        version = header.version
        compression = header.compression
        diskSize = header.size
        level1 = try Self.readLevel1(file, header)
        slices = try SliceCache(geometry: header.geometry, diskSize: header.size, capacity: cacheBytes)
        scratch = ScratchPool(geometry: header.geometry)
        fileSize = size
        allocationEnd = header.geometry.roundUp(size)
        isMarkedDirty = header.incompatible.contains(.dirty)
        if file.isWritable {
            dirtyLevel1.reserveCapacity(256)
            underWay.reserveCapacity(64)
            try prepareForWriting()
        }
    }

    static func readHeader(_ file: ImageFile, size: UInt64) throws(DiskImageError) -> QcowHeader {
        let prefix = try file.read(count: min(QcowHeader.prefixLength, Int(clamping: size)), at: 0)
        let geometry = try QcowHeader.geometry(prefix: prefix)
        let cluster = try file.read(count: Int(min(geometry.clusterSize, size)), at: 0)
        return try QcowHeader(parsing: cluster, fileSize: size)
    }

    static func checkWritable(_ header: QcowHeader) throws(DiskImageError) {
        if header.incompatible.contains(.corrupt) { throw .markedCorrupt }
        guard header.version >= 3 else { throw .notWritable(version: header.version) }
        guard header.snapshotCount == 0 else { throw .hasSnapshots(header.snapshotCount) }
    }

    /// Only the entries that the disk needs, however many the header declares.
    private static func readLevel1(_ file: ImageFile, _ header: QcowHeader) throws(DiskImageError) -> [UInt64] {
        let count = Int(header.geometry.tableCount(size: header.size))
        var entries = [UInt64](repeating: 0, count: count)
        try unsafe entries.withUnsafeMutableBufferPointer { buffer throws(DiskImageError) in
            _ = try unsafe file.read(into: UnsafeMutableRawBufferPointer(buffer), at: header.level1Offset)
        }
        for index in entries.indices { entries[index] = UInt64(bigEndian: entries[index]) }
        return entries
    }

    /// Looks at every table once: a writer trusts no entry that overlaps another or leaves the file.
    private func prepareForWriting() throws(DiskImageError) {
        let walk = try MetadataWalk(file: file, header: header, stopAtFirstFinding: true)
        if let finding = walk.findings.first { throw .corrupt(finding.structure, offset: finding.offset) }
        if !isMarkedDirty {
            let tables = try RefcountTables(file: file, header: header, references: walk.references)
            if let finding = tables.findings.first { throw .corrupt(finding.structure, offset: finding.offset) }
        }
        // After a crash nothing says what lies behind the last cluster in use: it is cut off before it is used again.
        if isMarkedDirty { allocationEnd = max(walk.references.end, walk.fixedEnd) }
    }

    var virtualSize: UInt64 { diskSize }
    var isReadOnly: Bool { !file.isWritable }
    var preferredAlignment: Int { Int(geometry.clusterSize) }

    /// The request's number of bytes, if it is one that may begin.
    func begin(_ segments: BlockSegments, at offset: UInt64, writing: Bool) throws(DiskImageError) -> Int {
        guard let total = unsafe SegmentCursor.byteCount(segments), let count = Int(exactly: total) else {
            throw .outOfRange(offset: offset, count: .max, size: diskSize)
        }
        try begin(at: offset, count: total, writing: writing)
        return count
    }

    func begin(at offset: UInt64, count: UInt64, writing: Bool) throws(DiskImageError) {
        if writing, isReadOnly { throw .readOnly }
        try checkRange(offset, count: count)
        lock.lock()
        defer { lock.unlock() }
        if isClosed { throw .closed }
        if writing, hasFailed { throw .failedBefore }
    }

    /// Does something with scratch memory that no other request uses meanwhile.
    func withScratch<Result>(
        decompressed host: UInt64 = 0, _ body: (RequestScratch) throws(DiskImageError) -> Result
    ) throws(DiskImageError) -> Result {
        lock.lock()
        let item = scratch.take(decompressed: host)
        lock.unlock()
        defer {
            lock.lock()
            scratch.give(item)
            lock.unlock()
        }
        return try body(item)
    }
}

/// Clusters of the disk that follow one another.
struct ClusterRun: Equatable, Sendable {
    var first: UInt64
    var count: UInt64
    func overlaps(_ other: ClusterRun) -> Bool { first < other.first + other.count && other.first < first + count }
}
