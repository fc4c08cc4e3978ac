import LinuxSystem
public import SystemPackage

/// Receives the bytes done and in total. May throw ``DiskImageError/interrupted`` to stop; then nothing is left behind.
public typealias DiskProgress = (UInt64, UInt64) throws(DiskImageError) -> Void

extension DiskImage {
    /// Writes a disk's whole content, without what reads as zeroes, into a new image that needs no other file.
    ///
    /// The same content and options give the same bytes. The file appears whole or not at all.
    /// - Parameter isDurable: Whether the file must survive a crash of the host afterwards.
    public static func flatten(
        _ source: any BlockStorage, to path: FilePath, options: QcowOptions = QcowOptions(),
        compression: ImageCompression = .none, permissions: UInt32 = 0o644, isDurable: Bool = true,
        progress: DiskProgress = { (_, _) throws(DiskImageError) in }
    ) throws(DiskImageError) {
        var options = options
        options.compression = compression == .zstd ? .zstd : .deflate
        let empty = try emptyImage(options, virtualSize: source.virtualSize, backing: nil)
        try withNewFile(empty, at: path, size: UInt64(empty.count), permissions: permissions, isDurable: isDurable) {
            file throws(DiskImageError) in
            try fill(file, from: source, compression, progress)
        }
    }

    /// The same into an existing empty file, such as one that has no name yet.
    public static func flatten(
        _ source: any BlockStorage, into path: FilePath,
        progress: DiskProgress = { (_, _) throws(DiskImageError) in }
    ) throws(DiskImageError) {
        let file = try ImageFile(path, access: .readWrite)
        guard try file.size() == 0 else { throw .alreadyExists(path) }
        try file.write(try emptyImage(QcowOptions(), virtualSize: source.virtualSize, backing: nil), at: 0)
        try fill(file, from: source, .none, progress)
    }

    private static func fill(
        _ file: ImageFile, from source: any BlockStorage, _ compression: ImageCompression, _ progress: DiskProgress
    ) throws(DiskImageError) {
        let writer = try QcowWriter(file, compression: compression)
        try unsafe copy(source, block: writer.geometry.clusterSize, progress) {
            offset, bytes throws(DiskImageError) in
            try unsafe writer.add(bytes, at: offset)
        }
        try writer.finish()
    }

    /// Writes a disk's whole content into a new raw image, with holes where it reads as zeroes.
    public static func flattenRaw(
        _ source: any BlockStorage, to path: FilePath, permissions: UInt32 = 0o644,
        progress: DiskProgress = { (_, _) throws(DiskImageError) in }
    ) throws(DiskImageError) {
        try withNewFile([], at: path, size: source.virtualSize, permissions: permissions) {
            file throws(DiskImageError) in
            try unsafe copy(source, block: 4096, progress) { offset, bytes throws(DiskImageError) in
                try unsafe file.write(bytes, at: offset)
            }
        }
    }

    /// Reads all that is stored and hands it on in order, leaving out aligned blocks of zeroes.
    /// - Parameter body: Gets pieces that begin at a multiple of `block` and end at one, or at the end of the disk.
    private static func copy(
        _ source: any BlockStorage, block: UInt64, _ progress: DiskProgress,
        _ body: (UInt64, UnsafeRawBufferPointer) throws(DiskImageError) -> Void
    ) throws(DiskImageError) {
        let total = source.virtualSize
        let chunk = max(block, 1 << 20)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(chunk), alignment: 4096)
        defer { unsafe buffer.deallocate() }
        var offset: UInt64 = 0
        while offset < total {
            try progress(offset, total)
            // Skip what is known to be zero, as far as whole chunks go.
            let extent = try source.extent(at: offset)
            let end = min(offset + chunk - offset % chunk, total)
            if extent.kind == .zero, extent.offset + extent.count >= end {
                offset = max(end, (extent.offset + extent.count) / chunk * chunk)
                if extent.offset + extent.count >= total { offset = total }
                continue
            }
            let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(end - offset)])
            try unsafe source.read(into: piece, at: offset)
            var done = 0
            while done < piece.count {
                let count = min(Int(block), piece.count - done)
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: piece[done..<(done + count)])
                if unsafe !isZero(bytes) { try unsafe body(offset + UInt64(done), bytes) }
                done += count
            }
            offset = end
        }
        try progress(total, total)
    }

    /// Makes a file under a temporary name, lets `body` fill it, and gives it its own name, which must be free.
    static func withNewFile(
        _ start: [UInt8], at path: FilePath, size: UInt64, permissions: UInt32, isDurable: Bool = true,
        _ body: (ImageFile) throws(DiskImageError) -> Void
    ) throws(DiskImageError) {
        if let isThere = try? FileSystem.exists(path), isThere { throw .alreadyExists(path) }
        let temporary = FilePath("\(path).\(randomIdentifier(bytes: 4)).tmp")
        do {
            try writeNewFile(start, at: temporary, size: size, permissions: permissions)
            let file = try ImageFile(temporary, access: .readWrite)
            try body(file)
            if isDurable { try file.synchronize() }
            try giveName(temporary, path)
            try FileSystem.synchronizeDirectory(path.removingLastComponent())
        } catch let error as DiskImageError {
            try? FileSystem.remove(temporary)
            throw error
        } catch {
            try? FileSystem.remove(temporary)
            let error = error as? SystemError
            if error?.errno == .fileExists { throw .alreadyExists(path) }
            throw .system(error ?? SystemError("make", path, .ioError))
        }
    }
}

/// How the clusters of a new image are stored.
public enum ImageCompression: String, Hashable, Sendable, CaseIterable {
    case none
    case deflate
    case zstd
}
