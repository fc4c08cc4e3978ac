public import Digest
public import LinuxSystem
public import Reporting
public import SystemPackage
import Tar

/// How an archive is packed.
public enum BoxCompression: String, Sendable, CaseIterable {
    case zstd, gzip
}

/// Packs a box archive. The same content gives the same bytes, whoever packs it, when, and on how many processors:
/// `metadata.json` first, then the other files by name, owner 0, one mode, one time.
public struct BoxWriter: Sendable {
    public enum Content: Sendable {
        case bytes([UInt8])
        case file(FilePath)
    }
    /// Files by their name in the box.
    public var contents: [String: Content]
    public var compression: BoxCompression
    /// zstd 1 to 19, gzip 1 to 9.
    public var level: Int
    /// Whether only its owner may read the archive, because it holds secrets.
    public var isPrivate = false
    public var sink: any EventSink
    public var cancellation: Cancellation?

    public init(
        _ contents: [String: Content], compression: BoxCompression = .zstd, level: Int? = nil,
        sink: any EventSink = SilentSink(), cancellation: Cancellation? = nil
    ) {
        self.contents = contents
        self.compression = compression
        self.level = level ?? (compression == .zstd ? 3 : 6)
        self.sink = sink
        self.cancellation = cancellation
    }

    /// The time of every entry: 1980-01-01, which every file system can hold.
    private static let time: UInt64 = 315_532_800

    /// The names as they will stand in the archive.
    /// - Throws: ``BoxError`` if a store would refuse a box with files of these names.
    @discardableResult
    public static func checked(_ names: some Collection<String>) throws(BoxError) -> [String] {
        let limit = ArchiveLimits().entries
        guard names.count <= limit else { throw .tooManyEntries(limit: limit) }
        var seen: Set<String> = []
        var result: [String] = []
        for name in names {
            let entry = try EntryName(Array(name.utf8))
            guard seen.insert(entry.folded).inserted else { throw .forbiddenEntry(entry.path, .duplicate) }
            result.append(entry.path)
        }
        return result
    }

    /// Writes the archive to `output`, which appears whole or not at all.
    /// - Throws: ``BoxError/outputExists(_:)`` if there is something, and `replace` does not say to replace it.
    @discardableResult
    public func write(to output: FilePath, replace: Bool = false) throws -> (digest: SHA256Digest, size: UInt64) {
        if !replace, try FileSystem.exists(output) { throw BoxError.outputExists(output) }
        let names = try Self.checked(contents.keys).sorted { left, right in
            if (left == BoxMetadata.fileName) != (right == BoxMetadata.fileName) { return left == BoxMetadata.fileName }
            return left.utf8.lexicographicallyPrecedes(right.utf8)
        }
        guard names.first == BoxMetadata.fileName else { throw BoxError.missingMetadata }
        let folder = output.removingLastComponent()
        if !folder.isEmpty { try FileSystem.makeDirectory(folder) }
        let file = try UnnamedFile(
            in: folder, name: output.lastComponent?.string ?? "box", permissions: isPrivate ? 0o600 : 0o644)
        let result = try pack(names, to: file, path: output)
        try cancellation?.check()
        do throws(SystemError) {
            try file.publish(as: output, replace: replace)
        } catch {
            if error.errno == .fileExists { throw BoxError.outputExists(output) }
            throw error
        }
        return result
    }

    private func pack(
        _ names: [String], to file: UnnamedFile, path: FilePath
    ) throws -> (digest: SHA256Digest, size: UInt64) {
        let checksum = try BackgroundChecksum(.sha256)
        defer { checksum.stop() }
        let target = ArchiveTarget(try file.descriptor.duplicate(), checksum: checksum, path: path)
        let compressor: any Compressor =
            switch compression {
            case .zstd: try ZstdCompressor(level: level, target: target)
            case .gzip: try GzipCompressor(level: level, target: target)
            }
        let total = try names.reduce(UInt64(0)) { try $0 + length(of: $1) }
        let label = "packing"
        var done: UInt64 = 0
        for name in names {
            switch contents[name] {
            case .bytes(let bytes):
                let entry = TarEncoder.Entry(name: name, size: UInt64(bytes.count), time: Self.time)
                try compressor.write(TarEncoder.header(entry) + bytes + TarBlock.padding(after: entry.size))
            case .file(let path):
                let start = done
                try packFile(path, as: name, compressor) { count in
                    sink.report(.progress(Progress(label, completed: start + count, total: total)))
                }
            case nil: continue
            }
            done += try length(of: name)
        }
        try compressor.write(TarBlock.end)
        try compressor.finish()
        sink.report(.finished(label: label))
        let size = try target.finish()
        checksum.end()
        return (SHA256Digest(result: checksum.results().first ?? []), size)
    }

    private func length(of name: String) throws -> UInt64 {
        switch contents[name] {
        case .bytes(let bytes): return UInt64(bytes.count)
        case .file(let path): return UInt64(clamping: try FileSystem.status(path)?.size ?? 0)
        case nil: return 0
        }
    }

    /// Holes of the file are not read, and are holes again where the box is unpacked.
    private func packFile(
        _ path: FilePath, as name: String, _ compressor: any Compressor, progress: (UInt64) -> Void
    ) throws {
        let file = try OwnedDescriptor.open(path, .readOnly)
        let size = Int64(clamping: try file.status().size)
        var extents: [Range<Int64>]? = try FileExtents.data(of: file, size: size)
        // One range from start to end is no map.
        if extents == [0..<size] || size == 0 { extents = nil }
        let entry = TarEncoder.Entry(name: name, size: UInt64(size), extents: extents, time: Self.time)
        try compressor.write(TarEncoder.header(entry))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { unsafe buffer.deallocate() }
        var stored: UInt64 = 0
        for range in extents ?? [0..<size] {
            var position = range.lowerBound
            while position < range.upperBound {
                try cancellation?.check()
                let wanted = Int(min(Int64(buffer.count), range.upperBound - position))
                let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
                let count = try unsafe file.read(into: piece, at: position)
                guard count > 0 else {
                    throw BoxError.unreadable(path, reason: "it became shorter while it was packed")
                }
                try unsafe compressor.write(UnsafeRawBufferPointer(rebasing: piece[..<count]))
                position += Int64(count)
                stored += UInt64(count)
                progress(UInt64(position))
            }
        }
        try compressor.write(TarBlock.padding(after: stored))
    }
}
