internal import LinuxSystem
internal import SystemPackage

/// The file that an archive is written to: hashed and counted on the way.
final class ArchiveTarget {
    private let path: FilePath
    private let file: OwnedDescriptor
    private let checksum: BackgroundChecksum
    private var size: UInt64 = 0

    init(_ file: consuming OwnedDescriptor, checksum: BackgroundChecksum, path: FilePath) {
        self.file = file
        self.checksum = checksum
        self.path = path
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        do {
            try unsafe file.writeAll(bytes)
        } catch { throw SystemError("write", path, error.errno) }
        unsafe checksum.update(bytes)
        size += UInt64(bytes.count)
    }

    /// Forces the file to the disk.
    /// - Returns: Its size, in bytes.
    func finish() throws(SystemError) -> UInt64 {
        do {
            try file.synchronize()
        } catch { throw SystemError("write", path, error.errno) }
        return size
    }
}

/// Packs a stream of bytes into an ``ArchiveTarget``.
protocol Compressor: AnyObject {
    func write(_ bytes: UnsafeRawBufferPointer) throws
    /// Ends the stream. Nothing is written after it.
    func finish() throws
}

extension Compressor {
    func write(_ bytes: [UInt8]) throws {
        try unsafe bytes.withUnsafeBytes { try unsafe write($0) }
    }
}
