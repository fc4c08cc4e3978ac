import LinuxSystem
import SystemPackage

/// Opens and makes disk images.
public enum DiskImage {
    /// Opens a disk for devices and tools.
    ///
    /// It opens the files of `layers` and no others. A backing file's name inside an image is only compared with the
    /// given layer, and refused if another file has that name (unless ``DiskLayer/isPlacedByRecord``). The first file
    /// is locked for `access`, the others for reading.
    /// - Parameters:
    ///   - layers: The disk itself, then the layers below it.
    ///   - cacheBytes: The memory for tables of each layer, or less if the disk needs less. Each MiB holds the tables
    ///     for 8 GiB of a disk with clusters of 64 KiB, and only what is in use takes memory.
    public static func open(
        _ layers: [DiskLayer], access: DiskAccess, cacheBytes: Int = 1 << 20
    ) throws(DiskImageError) -> any BlockStorage {
        guard layers.count <= QcowLimit.chain else { throw .chainTooDeep(limit: QcowLimit.chain) }
        var seen: [(device: UInt64, inode: UInt64)] = []
        return try open(layers[...], access: access, cacheBytes: cacheBytes, observer: nil, seen: &seen)
    }

    static func open(
        _ layers: ArraySlice<DiskLayer>, access: DiskAccess, cacheBytes: Int, observer: (any ImageFileObserver)?,
        seen: inout [(device: UInt64, inode: UInt64)]
    ) throws(DiskImageError) -> any BlockStorage {
        guard let layer = layers.first else { throw .backingMissing(name: "") }
        let rest = layers.dropFirst()
        let file = try ImageFile(layer.path, access: access, observer: observer)
        if let identity = file.identity {
            if seen.contains(where: { $0 == identity }) { throw .backingLoop(layer.path) }
            seen.append(identity)
        }
        do throws(DiskImageError) {
            switch layer.format {
            case .raw:
                if let extra = rest.first { throw .backingUnexpected(extra.path) }
                return try RawImage(file)
            case .qcow2:
                let header = try QcowImage.readHeader(file, size: file.size())
                try checkBacking(header.backingName, rest.first, of: layer)
                let backing =
                    rest.isEmpty
                    ? nil : try open(rest, access: .readOnly, cacheBytes: cacheBytes, observer: nil, seen: &seen)
                return try QcowImage(file, backing: backing, cacheBytes: cacheBytes)
            }
        } catch {
            throw error.inFile(layer.path)
        }
    }

    /// Compares what an image says about its backing file with what the caller knows.
    private static func checkBacking(
        _ name: String?, _ layer: DiskLayer?, of image: DiskLayer
    ) throws(DiskImageError) {
        switch (name, layer) {
        case (nil, nil): return
        case (let name?, nil): throw .backingMissing(name: name)
        case (nil, let layer?): throw .backingUnexpected(layer.path)
        case (let name?, let layer?):
            guard !image.isPlacedByRecord else { return }
            let recorded = image.path.removingLastComponent().pushing(FilePath(name))
            guard recorded.lexicallyNormalized() != layer.path.lexicallyNormalized() else { return }
            // A name that leads nowhere says nothing: folders move, and the caller's records move with them.
            guard let recordedStatus = (try? FileSystem.status(recorded)) ?? nil,
                let givenStatus = (try? FileSystem.status(layer.path)) ?? nil
            else { return }
            guard recordedStatus.device == givenStatus.device, recordedStatus.inode == givenStatus.inode else {
                throw .backingMismatch(recorded: name, given: layer.path)
            }
        }
    }
}

extension DiskImageError {
    /// The same error with the file it is about, unless it names one already.
    func inFile(_ path: FilePath) -> DiskImageError {
        switch self {
        case .system, .inFile, .locked, .notAFile, .alreadyExists, .backingLoop, .interrupted: self
        default: .inFile(path, self)
        }
    }
}
