internal import Digest
import DiskImage
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

extension AddJob {
    /// Copies a disk image, unpacked and hashed on the way; zeros become holes.
    func copyDisk(_ format: DiskFormat, isPacked: Bool, into files: FilePath) throws -> Box {
        let identity = try imageIdentity()
        try claim(identity)
        // What can be seen at once is refused at once.
        if !isPacked { _ = try DiskFacts.look(at: archive, name: source, stated: format) }
        let whole = try BackgroundChecksum(.sha256)
        defer { whole.stop() }
        let content = isPacked ? try BackgroundChecksum(.sha256) : nil
        defer { content?.stop() }
        let other = options.checksums.first { $0.algorithm != .sha256 }
        let second = try other.map { other throws(SystemError) in try BackgroundChecksum(other.algorithm) }
        defer { second?.stop() }
        let label = "\(isPacked ? "unpacking" : "copying") \(identity.name)"
        let input = try ArchiveSource(
            OwnedDescriptor.open(archive, .readOnly), checksums: [whole] + (second.map { [$0] } ?? []), label: label,
            sink: sink, cancellation: cancellation)
        let path = files.appending(BoxDescription.diskName)
        let size = try copy(input, to: path, content: content)
        sink.report(.finished(label: label))
        whole.end()
        second?.end()
        content?.end()
        let digest = SHA256Digest(result: whole.results().first ?? [])
        try compareChecksums(digest: digest, other: other, hexadecimal: second?.results().first.map { hexadecimal($0) })
        return try imageBox(
            identity, image: path, format: format, size: size,
            content: content?.results().first.map { SHA256Digest(result: $0) } ?? digest, archive: digest,
            archiveSize: input.size)
    }

    /// - Parameter content: Given for what is packed, which is bounded by its size.
    /// - Returns: The size of the image, in bytes.
    private func copy(_ input: ArchiveSource, to path: FilePath, content: BackgroundChecksum?) throws -> UInt64 {
        var budget = ArchiveBudget(limits: options.limits, archiveBytes: input.size)
        var writer = try SparseFileWriter(creating: path)
        var end: Int64 = 0
        var spent: UInt64 = 0
        do {
            let reader = try ArchiveReader.open(input, path: archive, contents: .stream)
            guard try reader.nextEntry() != nil else { throw BoxError.invalidDisk(source, .truncated) }
            try unsafe reader.readData { bytes, offset in
                try cancellation?.check()
                unsafe content?.update(bytes)
                do throws(SystemError) {
                    try unsafe writer.write(bytes, at: offset)
                } catch { throw SystemError("write", path, error.errno) }
                end = offset + Int64(bytes.count)
                try budget.countUnpacked(UInt64(bytes.count))
                guard content != nil else { return }
                try budget.countAllocated(writer.allocated - spent, decompressed: reader.decompressedBytes)
                spent = writer.allocated
            }
        }
        try input.drain()
        try writer.finish(length: end, permissions: 0o444)
        return UInt64(end)
    }

    /// Has qemu-img convert an image that wander does not read itself.
    func convertDisk(_ format: ForeignImage, isPacked: Bool, into files: FilePath) throws -> Box {
        guard !isPacked else { throw BoxError.packedForeignImage(format.rawValue) }
        let identity = try imageIdentity()
        try claim(identity)
        try format.checkStandsAlone(archive, name: source)
        let digest = try fileChecksum(archive, .sha256, cancellation: cancellation)
        guard let digest = SHA256Digest(digest) else { throw BoxError.invalidChecksum(digest) }
        try compareChecksums(digest: digest, other: nil, hexadecimal: nil)
        sink.report(.step("Converting the \(format.rawValue.uppercased()) image"))
        let path = files.appending(BoxDescription.diskName)
        let archiveSize = UInt64(clamping: try FileSystem.status(archive)?.size ?? 0)
        try format.convert(
            archive, to: path, limit: options.limits.allocatedLimit(archiveBytes: archiveSize).bytes,
            cancellation: cancellation)
        let file = try OwnedDescriptor.open(path, .readOnly)
        try file.synchronize()
        try FileSystem.setPermissions(path, 0o444)
        let content = try fileChecksum(path, .sha256, cancellation: cancellation)
        guard let content = SHA256Digest(content) else { throw BoxError.invalidChecksum(content) }
        return try imageBox(
            identity, image: path, format: .qcow2, size: UInt64(clamping: try file.status().size), content: content,
            archive: digest, archiveSize: archiveSize)
    }
}
