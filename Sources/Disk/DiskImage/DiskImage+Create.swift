import Glibc
import LinuxSystem
public import SystemPackage

extension DiskImage {
    /// Makes an empty disk. The file appears whole or not at all.
    /// - Parameter virtualSize: In bytes.
    public static func create(
        at path: FilePath, format: DiskFormat, virtualSize: UInt64, permissions: UInt32 = 0o600
    ) throws(DiskImageError) {
        switch format {
        case .raw:
            guard Int64(exactly: virtualSize) != nil else {
                throw .tooLarge("size in bytes", value: virtualSize, limit: UInt64(Int64.max))
            }
            try writeNewFile([], at: path, size: virtualSize, permissions: permissions)
        case .qcow2:
            let image = try emptyImage(QcowOptions(), virtualSize: virtualSize, backing: nil)
            try writeNewFile(image, at: path, size: UInt64(image.count), permissions: permissions)
        }
    }

    /// Makes a disk that starts out as another image and keeps its own changes. The file appears whole or not at all.
    /// - Parameters:
    ///   - backing: The name to record in the image as given, so that other tools find it. wander itself opens only the
    ///     files that it is given.
    ///   - virtualSize: In bytes; nil takes the backing image's. Bytes past its end read as zeroes.
    ///   - clusterBits: Discarding works in whole clusters of 2^this bytes.
    public static func createOverlay(
        at path: FilePath, backing: FilePath, backingFormat: DiskFormat, virtualSize: UInt64? = nil,
        clusterBits: UInt32 = QcowOptions().clusterBits, permissions: UInt32 = 0o600
    ) throws(DiskImageError) {
        let size: UInt64
        if let virtualSize {
            size = virtualSize
        } else {
            let place = path.removingLastComponent().pushing(backing)
            size = try Self.virtualSize(of: DiskLayer(path: place, format: backingFormat))
        }
        var options = QcowOptions()
        options.clusterBits = clusterBits
        let image = try emptyImage(options, virtualSize: size, backing: (backing, backingFormat))
        try writeNewFile(image, at: path, size: UInt64(image.count), permissions: permissions)
    }

    /// The disk's size in bytes, from one file alone.
    public static func virtualSize(of layer: DiskLayer) throws(DiskImageError) -> UInt64 {
        let file = try ImageFile(layer.path, access: .readOnly)
        let size = try file.size()
        do throws(DiskImageError) {
            return layer.format == .raw ? size : try QcowImage.readHeader(file, size: size).size
        } catch { throw error.inFile(layer.path) }
    }

    /// An image without data: header, refcount table, one or more refcount blocks, L1 table.
    static func emptyImage(
        _ options: QcowOptions, virtualSize: UInt64, backing: (path: FilePath, format: DiskFormat)?
    ) throws(DiskImageError) -> [UInt8] {
        guard ClusterGeometry.allowedClusterBits.contains(options.clusterBits) else {
            throw .invalidClusterBits(options.clusterBits)
        }
        guard options.refcountOrder <= 6 else { throw .invalidRefcountOrder(options.refcountOrder) }
        guard virtualSize <= UInt64(Int64.max) else {
            throw .tooLarge("size in bytes", value: virtualSize, limit: UInt64(Int64.max))
        }
        let geometry = ClusterGeometry(clusterBits: options.clusterBits)
        var header = QcowHeader()
        header.geometry = geometry
        header.size = virtualSize
        header.refcountOrder = options.refcountOrder
        header.compatible = options.hasLazyRefcounts ? .lazyRefcounts : []
        header.compression = options.compression
        if options.compression != .deflate { header.incompatible.insert(.compressionType) }
        if let backing {
            header.backingName = backing.path.string
            header.extensions.append(
                .init(type: QcowHeader.Extension.backingFormat, data: Array(backing.format.rawValue.utf8)))
        }
        // Names of features are a courtesy, for which very small clusters have no room.
        if options.clusterBits >= 12 { header.extensions.append(QcowHeader.featureNameTable) }

        let level1Count = geometry.tableCount(size: virtualSize)
        guard level1Count * 8 <= QcowLimit.level1Table else {
            throw .tooLarge("L1 table in bytes", value: level1Count * 8, limit: QcowLimit.level1Table)
        }
        // At least one entry: other programs take an L1 table at offset 0 for damage.
        let level1Clusters = max(1, geometry.clusterCount(level1Count * 8))
        // Refcount table and blocks cover themselves too; each round adds what the last one lacked.
        var tableClusters: UInt64 = 1
        var blockCount: UInt64 = 1
        while true {
            let total = 1 + tableClusters + blockCount + level1Clusters
            let blocks = (total + header.refcountsPerBlock - 1) / header.refcountsPerBlock
            let table = geometry.clusterCount(blocks * 8)
            if blocks == blockCount, table == tableClusters { break }
            (blockCount, tableClusters) = (max(blocks, blockCount), max(table, tableClusters))
        }
        header.refcountTableOffset = geometry.clusterSize
        header.refcountTableClusters = UInt32(tableClusters)
        header.level1Count = UInt32(level1Count)
        header.level1Offset = (1 + tableClusters + blockCount) * geometry.clusterSize

        let total = 1 + tableClusters + blockCount + level1Clusters
        var image = try header.encoded()
        for index in 0..<blockCount {
            image += ((1 + tableClusters + index) * geometry.clusterSize).bigEndianBytes
        }
        image += [UInt8](repeating: 0, count: Int((1 + tableClusters) * geometry.clusterSize) - image.count)
        var block = [UInt8](repeating: 0, count: Int(blockCount * geometry.clusterSize))
        for cluster in 0..<total {
            _ = RefcountTables.store(1, in: &block, Int(cluster), order: header.refcountOrder)
        }
        image += block
        return image + [UInt8](repeating: 0, count: Int(total * geometry.clusterSize) - image.count)
    }

    /// Writes a file under a temporary name and links it to its own, which must be free.
    static func writeNewFile(
        _ bytes: [UInt8], at path: FilePath, size: UInt64, permissions: UInt32
    ) throws(DiskImageError) {
        if let isThere = try? FileSystem.exists(path), isThere { throw .alreadyExists(path) }
        let temporary = FilePath("\(path).\(randomIdentifier(bytes: 4)).tmp")
        do {
            let file = try OwnedDescriptor.open(temporary, [.writeOnly, .create, .exclusive], permissions: permissions)
            try file.writeAll(bytes)
            try file.truncate(to: Int64(size))
            try file.synchronize()
            file.close()
            try giveName(temporary, path)
            try FileSystem.synchronizeDirectory(path.removingLastComponent())
        } catch {
            try? FileSystem.remove(temporary)
            if error.errno == .fileExists { throw .alreadyExists(path) }
            throw .system(SystemError("make", path, error.errno))
        }
    }

    /// Gives a finished file its name, which must be free at that instant.
    static func giveName(_ temporary: FilePath, _ path: FilePath) throws(SystemError) {
        // link(2) fails if there is a file of that name, as rename(2) does not; not every file system has links.
        let result = unsafe temporary.withPlatformString { from in
            unsafe path.withPlatformString { to in unsafe link(from, to) }
        }
        guard result != 0 else { return try FileSystem.remove(temporary) }
        let code = Errno(rawValue: errno)
        if code == .fileExists { throw SystemError("make", path, code) }
        try FileSystem.rename(temporary, to: path)
    }
}

/// How a new qcow2 image is laid out.
public struct QcowOptions: Hashable, Sendable {
    /// Clusters are 2^this bytes large: 9 to 21.
    public var clusterBits: UInt32 = 16
    /// Refcounts have 2^this bits: 0 to 6.
    public var refcountOrder: UInt32 = 4
    public var hasLazyRefcounts = true
    var compression: QcowHeader.Compression = .deflate

    public init() {}
}
