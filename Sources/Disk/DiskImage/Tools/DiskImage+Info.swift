public import SystemPackage

/// What an image's file reports about itself.
public struct ImageInfo: Hashable, Sendable {
    public var path: FilePath
    public var format: DiskFormat
    /// Sizes are in bytes.
    public var virtualSize: UInt64
    public var fileSize: UInt64
    /// The space that the file takes on the host's disk.
    public var allocatedSize: UInt64
    /// Only qcow2 images have these.
    public var qcow2: Qcow2?

    public struct Qcow2: Hashable, Sendable {
        public var version: UInt32
        public var clusterSize: UInt64
        public var compression: String
        public var refcountBits: Int
        public var hasLazyRefcounts: Bool
        public var isDirty: Bool
        public var isMarkedCorrupt: Bool
        public var snapshotCount: UInt32
        public var backingName: String?
        public var backingFormat: String?
    }
}

/// Which names of backing files inside an image are believed.
public enum BackingTrust: Hashable, Sendable {
    /// Only files in the same folder as the image: an image from elsewhere cannot make the host open other files.
    case sameFolder
    /// Any plain file. For images that the caller made.
    case anywhere
}

extension DiskImage {
    public static func info(_ layer: DiskLayer) throws(DiskImageError) -> ImageInfo {
        let file = try ImageFile(layer.path, access: .readOnly)
        do throws(DiskImageError) {
            let size = try file.size()
            var info = ImageInfo(
                path: layer.path, format: layer.format, virtualSize: size, fileSize: size,
                allocatedSize: file.allocatedBytes)
            if layer.format == .qcow2 {
                let header = try QcowImage.readHeader(file, size: size)
                info.virtualSize = header.size
                info.qcow2 = ImageInfo.Qcow2(
                    version: header.version, clusterSize: header.geometry.clusterSize,
                    compression: header.compression.rawValue, refcountBits: 1 << Int(header.refcountOrder),
                    hasLazyRefcounts: header.compatible.contains(.lazyRefcounts),
                    isDirty: header.incompatible.contains(.dirty),
                    isMarkedCorrupt: header.incompatible.contains(.corrupt), snapshotCount: header.snapshotCount,
                    backingName: header.backingName, backingFormat: header.backingFormat)
            }
            return info
        } catch { throw error.inFile(layer.path) }
    }

    /// The format that a file's first bytes declare: qcow2, or raw if there is nothing to recognise.
    ///
    /// Only for files that no guest could write to, and only to read them.
    public static func detectFormat(_ path: FilePath) throws(DiskImageError) -> DiskFormat {
        let file = try ImageFile(path, access: .readOnly)
        let magic = try file.read(count: 4, at: 0)
        return BigEndianBytes(magic).load(0, as: UInt32.self) == QcowHeader.magic ? .qcow2 : .raw
    }

    /// The layers of a disk by what its images say about each other. For tools that a person points at a file.
    public static func layers(of layer: DiskLayer, trust: BackingTrust) throws(DiskImageError) -> [DiskLayer] {
        var layers = [layer]
        while let last = layers.last, last.format == .qcow2, let qcow2 = try info(last).qcow2,
            let name = qcow2.backingName
        {
            guard layers.count < QcowLimit.chain else { throw .chainTooDeep(limit: QcowLimit.chain) }
            layers.append(try backingLayer(name, qcow2.backingFormat, of: last.path, trust))
        }
        return layers
    }

    private static func backingLayer(
        _ name: String, _ format: String?, of image: FilePath, _ trust: BackingTrust
    ) throws(DiskImageError) -> DiskLayer {
        // `nbd:...`, `json:{...}` and the like mean something to other programs; here they are never followed.
        if let colon = name.firstIndex(of: ":"), !name[..<colon].contains("/") { throw .backingHasProtocol(name: name) }
        let path = FilePath(name)
        if trust == .sameFolder {
            guard path.isRelative, path.components.count == 1, path.lastComponent?.kind == .regular else {
                throw .backingOutsideFolder(name: name)
            }
        }
        let place = image.removingLastComponent().pushing(path)
        guard let known = format.flatMap(DiskFormat.init(rawValue:)) else { throw .cannotDetectFormat(place) }
        return DiskLayer(path: place, format: known)
    }
}
