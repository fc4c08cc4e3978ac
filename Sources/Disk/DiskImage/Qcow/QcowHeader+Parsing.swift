extension QcowHeader {
    /// Bytes that tell the cluster's size, and so how much to read for the whole header.
    static let prefixLength = 24

    /// The cluster size that the first bytes of an image declare.
    static func geometry(prefix: [UInt8]) throws(DiskImageError) -> ClusterGeometry {
        let reader = BigEndianBytes(prefix)
        guard reader.load(0, as: UInt32.self) == magic, let clusterBits = reader.load(20, as: UInt32.self) else {
            throw .notQcow2
        }
        guard ClusterGeometry.allowedClusterBits.contains(clusterBits) else { throw .invalidClusterBits(clusterBits) }
        return ClusterGeometry(clusterBits: clusterBits)
    }

    /// Reads the header out of an image's first cluster.
    /// - Parameter fileSize: In bytes; the L1 table and the refcount table must lie inside.
    /// - Throws: For everything that wander does not support or that the format forbids.
    init(parsing cluster: [UInt8], fileSize: UInt64) throws(DiskImageError) {
        let reader = BigEndianBytes(cluster)
        func field<T: FixedWidthInteger>(_ offset: Int, as type: T.Type) throws(DiskImageError) -> T {
            guard let value = reader.load(offset, as: type) else { throw .corrupt(.header, offset: UInt64(offset)) }
            return value
        }
        geometry = try Self.geometry(prefix: cluster)
        version = try field(4, as: UInt32.self)
        guard version == 2 || version == 3 else { throw .unsupportedVersion(version) }
        size = try field(24, as: UInt64.self)
        guard try field(32, as: UInt32.self) == 0 else { throw .encrypted }
        level1Count = try field(36, as: UInt32.self)
        level1Offset = try field(40, as: UInt64.self)
        refcountTableOffset = try field(48, as: UInt64.self)
        refcountTableClusters = try field(56, as: UInt32.self)
        snapshotCount = try field(60, as: UInt32.self)
        snapshotsOffset = try field(64, as: UInt64.self)
        if version >= 3 {
            incompatible = Incompatible(rawValue: try field(72, as: UInt64.self))
            compatible = Compatible(rawValue: try field(80, as: UInt64.self))
            autoclear = try field(88, as: UInt64.self)
            refcountOrder = try field(96, as: UInt32.self)
            headerLength = try field(100, as: UInt32.self)
            guard headerLength >= 104, headerLength % 8 == 0, Int(headerLength) <= cluster.count else {
                throw .invalidHeader(field: "header length", value: UInt64(headerLength))
            }
        } else {
            headerLength = 72
        }
        try parseExtensions(reader, backingOffset: field(8, as: UInt64.self), backingCount: field(16, as: UInt32.self))
        try checkFeatures(compressionType: headerLength > 104 ? reader.load(104, as: UInt8.self) ?? 0 : 0)
        try checkTables(fileSize: fileSize)
    }

    private mutating func parseExtensions(
        _ reader: BigEndianBytes, backingOffset: UInt64, backingCount: UInt32
    ) throws(DiskImageError) {
        var end = reader.count
        if backingOffset != 0 {
            guard backingCount <= QcowLimit.backingName else { throw .backingNameTooLong(Int(backingCount)) }
            guard let start = Int(exactly: backingOffset), start >= headerLength,
                let name = reader.bytes(start, count: Int(backingCount))
            else { throw .corrupt(.backingName, offset: 8) }
            // An empty name is no backing file; a NUL would cut the name short for the kernel.
            guard !name.contains(0) else { throw .corrupt(.backingName, offset: backingOffset) }
            if !name.isEmpty { backingName = String(decoding: name, as: UTF8.self) }
            end = start
        }
        var offset = Int(headerLength)
        while offset + 8 <= end, let type = reader.load(offset, as: UInt32.self), type != 0 {
            guard let count = reader.load(offset + 4, as: UInt32.self), Int(count) <= end - offset - 8,
                let data = reader.bytes(offset + 8, count: Int(count))
            else { throw .corrupt(.extensions, offset: UInt64(offset)) }
            extensions.append(Extension(type: type, data: data))
            offset += 8 + (Int(count) + 7) & ~7
        }
    }

    private mutating func checkFeatures(compressionType: UInt8) throws(DiskImageError) {
        let unknown = incompatible.subtracting(.supported).rawValue
        if unknown != 0 { throw .unsupportedFeature(featureName(bit: unknown.trailingZeroBitCount)) }
        switch (incompatible.contains(.compressionType), compressionType) {
        case (false, 0): compression = .deflate
        case (true, 1): compression = .zstd
        case (true, 2...): throw .unsupportedFeature("compression type \(compressionType)")
        default: throw .invalidHeader(field: "compression type", value: UInt64(compressionType))
        }
        guard refcountOrder <= 6 else { throw .invalidRefcountOrder(refcountOrder) }
    }

    private func checkTables(fileSize: UInt64) throws(DiskImageError) {
        guard size <= UInt64(Int64.max) else { throw .tooLarge("size in bytes", value: size, limit: UInt64(Int64.max)) }
        let level1Bytes = UInt64(level1Count) * 8
        guard level1Bytes <= QcowLimit.level1Table else {
            throw .tooLarge("L1 table in bytes", value: level1Bytes, limit: QcowLimit.level1Table)
        }
        guard UInt64(level1Count) >= geometry.tableCount(size: size) else {
            throw .invalidHeader(field: "number of L1 entries", value: UInt64(level1Count))
        }
        guard level1Count == 0 || isTable(at: level1Offset, count: level1Bytes, fileSize: fileSize) else {
            throw .invalidHeader(field: "L1 table offset", value: level1Offset)
        }
        let refcountBytes = UInt64(refcountTableClusters) * geometry.clusterSize
        guard refcountBytes <= QcowLimit.refcountTable else {
            throw .tooLarge("refcount table in bytes", value: refcountBytes, limit: QcowLimit.refcountTable)
        }
        guard refcountTableClusters > 0 else {
            throw .invalidHeader(field: "number of refcount table clusters", value: 0)
        }
        guard isTable(at: refcountTableOffset, count: refcountBytes, fileSize: fileSize) else {
            throw .invalidHeader(field: "refcount table offset", value: refcountTableOffset)
        }
        guard snapshotCount <= QcowLimit.snapshots else {
            throw .tooLarge("number of snapshots", value: UInt64(snapshotCount), limit: UInt64(QcowLimit.snapshots))
        }
        guard snapshotCount == 0 || isTable(at: snapshotsOffset, count: 40, fileSize: fileSize) else {
            throw .invalidHeader(field: "snapshot table offset", value: snapshotsOffset)
        }
    }

    /// Whether a table could be there: aligned, not over the header, inside the file (whose last cluster may be
    /// partial).
    private func isTable(at offset: UInt64, count: UInt64, fileSize: UInt64) -> Bool {
        let end = geometry.roundUp(fileSize)
        return offset != 0 && geometry.isAligned(offset) && offset < end && count <= end - offset
    }
}

/// Big-endian integers from bytes of unknown origin; nil if a read would go past the end.
struct BigEndianBytes {
    private let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var count: Int { bytes.count }

    func load<T: FixedWidthInteger>(_ offset: Int, as type: T.Type) -> T? {
        let size = T.bitWidth / 8
        guard offset >= 0, bytes.count >= size, offset <= bytes.count - size else { return nil }
        return bytes[offset..<(offset + size)].reduce(0) { $0 << 8 | T(truncatingIfNeeded: $1) }
    }

    func bytes(_ offset: Int, count: Int) -> [UInt8]? {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
        return Array(bytes[offset..<(offset + count)])
    }
}

extension FixedWidthInteger {
    /// The value's bytes, the most significant first.
    var bigEndianBytes: [UInt8] {
        (0..<(Self.bitWidth / 8)).reversed().map { UInt8(truncatingIfNeeded: self >> Self($0 * 8)) }
    }
}
