internal import Digest
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

/// Unpacks one box archive into a folder, in one pass, refusing whatever does not belong in a box.
struct BoxUnpacker {
    struct File: Hashable {
        var path: String
        /// In bytes, holes included.
        var size: UInt64
        var digest: SHA256Digest
    }
    struct Result {
        /// nil: an archive of something else, which may be a disk image.
        var metadata: BoxMetadata?
        var files: [File]
        var archiveDigest: SHA256Digest
        /// In the algorithm that was asked for.
        var checksum: [UInt8]?
        var archiveSize: UInt64
    }

    var limits = ArchiveLimits()
    var sink: any EventSink = SilentSink()
    var cancellation: Cancellation?

    /// - Parameters:
    ///   - folder: Empty, and nobody else's.
    ///   - checksum: A checksum of the archive to compute beside SHA-256.
    ///   - metadataRead: Called once, as soon as the box has said what it is; by wander's own boxes before any other
    ///     file.
    func unpack(
        _ archive: FilePath, into folder: FilePath, label: String, checksum algorithm: ChecksumAlgorithm? = nil,
        metadataRead: (BoxMetadata) throws -> Void = { _ in }
    ) throws -> Result {
        let archiveChecksum = try BackgroundChecksum(.sha256)
        defer { archiveChecksum.stop() }
        let other = try algorithm.map { algorithm throws(SystemError) in try BackgroundChecksum(algorithm) }
        defer { other?.stop() }
        let content = try BackgroundChecksum(.sha256)
        defer { content.stop() }
        let source = try ArchiveSource(
            OwnedDescriptor.open(archive, .readOnly), checksums: [archiveChecksum] + (other.map { [$0] } ?? []),
            label: label,
            sink: sink, cancellation: cancellation)
        var metadata: BoxMetadata?
        var files: [(path: String, size: UInt64)] = []
        var budget = ArchiveBudget(limits: limits, archiveBytes: source.size)
        var seen: Set<String> = []
        do {
            let reader = try ArchiveReader.open(source, path: archive)
            while let entry = try reader.nextEntry() {
                try budget.countEntry()
                let name = try Self.judge(entry)
                guard !name.path.isEmpty else { continue }
                if entry.kind == .directory {
                    try makeFolders(name.parts, in: folder)
                    continue
                }
                guard seen.insert(name.folded).inserted else { throw BoxError.forbiddenEntry(name.path, .duplicate) }
                try makeFolders(name.parts.dropLast(), in: folder)
                let size = try write(entry, name, of: reader, to: folder.appending(name.path), content, &budget)
                files.append((name.path, size))
                if name.path == BoxMetadata.fileName {
                    let bytes = try FileSystem.read(folder.appending(name.path), limit: BoxMetadata.sizeLimit)
                    let parsed = try BoxMetadata(parsing: bytes)
                    try metadataRead(parsed)
                    metadata = parsed
                }
            }
        }
        try source.drain()
        archiveChecksum.end()
        other?.end()
        let unpacked = zip(files, content.results()).map { file, result in
            File(path: file.path, size: file.size, digest: SHA256Digest(result: result))
        }
        if let metadata { try Self.compare(unpacked, with: metadata) }
        guard let digest = archiveChecksum.results().first else { throw BoxError.notAnArchive(archive) }
        return Result(
            metadata: metadata, files: unpacked, archiveDigest: SHA256Digest(result: digest),
            checksum: other?.results().first,
            archiveSize: source.size)
    }

    /// - Returns: The entry's checked name.
    static func judge(_ entry: ArchiveReader.Entry) throws(BoxError) -> EntryName {
        let name = try EntryName(entry.name)
        switch entry.kind {
        case .directory: return name
        case .link: throw .forbiddenEntry(name.path, .link)
        case .other: throw .forbiddenEntry(name.path, .device)
        case .file: break
        }
        guard entry.permissions & 0o6000 == 0 else { throw .forbiddenEntry(name.path, .setUserIdentifier) }
        guard let size = entry.size, size >= 0, !name.path.isEmpty else { throw .forbiddenEntry(name.path, .noSize) }
        if name.path == BoxMetadata.fileName, size > BoxMetadata.sizeLimit {
            throw .forbiddenEntry(name.path, .tooLarge(limit: ByteCount(UInt64(BoxMetadata.sizeLimit))))
        }
        return name
    }

    private func makeFolders(_ parts: some Sequence<Substring>, in folder: FilePath) throws {
        var path = folder
        for part in parts {
            path.append(String(part))
            try FileSystem.makeDirectory(path)
        }
    }

    private func write(
        _ entry: ArchiveReader.Entry, _ name: EntryName, of reader: borrowing ArchiveReader, to path: FilePath,
        _ content: BackgroundChecksum, _ budget: inout ArchiveBudget
    ) throws -> UInt64 {
        let size = entry.size ?? 0
        try budget.countUnpacked(UInt64(size))
        var writer = try SparseFileWriter(creating: path)
        var end: Int64 = 0
        var spent: UInt64 = 0
        try unsafe reader.readData { bytes, offset in
            try cancellation?.check()
            guard offset >= end, let next = Int64(exactly: bytes.count).map({ offset.addingReportingOverflow($0) }),
                !next.overflow, next.partialValue <= size
            else { throw BoxError.forbiddenEntry(name.path, .lyingSparseMap) }
            if offset > end { content.updateZeros(UInt64(offset - end)) }
            unsafe content.update(bytes)
            do throws(SystemError) {
                try unsafe writer.write(bytes, at: offset)
            } catch { throw SystemError("write", path, error.errno) }
            end = next.partialValue
            try budget.countAllocated(writer.allocated - spent, decompressed: reader.decompressedBytes)
            spent = writer.allocated
        }
        if end < size { content.updateZeros(UInt64(size - end)) }
        content.end()
        try writer.finish(length: size, permissions: 0o444)
        return UInt64(size)
    }

    /// Every digest that the box states must be that of a file, and every file that it names must be there.
    private static func compare(_ files: [File], with metadata: BoxMetadata) throws(BoxError) {
        // What a thin box takes from its parent comes, and is compared, later.
        let isThin = metadata.parent != nil
        for (path, stated) in metadata.digests {
            if isThin, !files.contains(where: { $0.path == path }) { continue }
            guard let file = files.first(where: { $0.path == path }) else {
                throw .missingFile(path, namedBy: "digests")
            }
            guard file.digest == stated else { throw .fileDigestMismatch(path, stated: stated, actual: file.digest) }
        }
        guard !isThin else { return }
        let paths = Set(files.map(\.path))
        for disk in metadata.disks where !paths.contains(disk.path) {
            throw .missingFile(disk.path, namedBy: BoxMetadata.fileName)
        }
        for named in [metadata.kernel, metadata.initrd] {
            if let named, !paths.contains(named) { throw .missingFile(named, namedBy: BoxMetadata.fileName) }
        }
    }
}
