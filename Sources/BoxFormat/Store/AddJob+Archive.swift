internal import Digest
import DiskImage
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

extension AddJob {
    /// Unpacks a box, or an image that was put into an archive.
    func unpack(into files: FilePath) throws -> Box {
        let label = "unpacking \(options.name?.description ?? archive.lastComponent?.string ?? "box")"
        var identity: BoxIdentity?
        var parent: Box?
        let unpacker = BoxUnpacker(limits: options.limits, sink: sink, cancellation: cancellation)
        let other = options.checksums.first { $0.algorithm != .sha256 }
        let result = try unpacker.unpack(archive, into: files, label: label, checksum: other?.algorithm) { metadata in
            guard let name = options.name ?? metadata.name ?? options.fallbackName else {
                throw BoxError.nameRequired(archive)
            }
            let known = BoxIdentity(
                name: name, version: options.version ?? metadata.version ?? .unversioned,
                architecture: options.architecture ?? metadata.architecture ?? .unknown)
            identity = known
            try claim(known)
            // Before anything large is unpacked.
            parent = try metadata.parent.map { try store.parentBox($0) }
        }
        sink.report(.finished(label: label))
        try compareChecksums(
            digest: result.archiveDigest, other: other, hexadecimal: result.checksum.map { hexadecimal($0) })
        guard let identity, let metadata = result.metadata else { return try adoptOnlyImage(of: result, in: files) }
        let contents =
            try parent.map { parent in
                try ThinBox(parent: parent, metadata: metadata, sink: sink, cancellation: cancellation)
                    .complete(result.files, in: files)
            } ?? result.files
        let directory = store.folder(of: identity).appending(BoxRecord.filesFolder)
        let disks = try metadata.disks.map { disk in
            let facts = try DiskFacts.look(at: files.appending(disk.path), name: disk.path, stated: disk.format)
            return Box.Disk(
                path: directory.appending(disk.path), format: facts.format, virtualSize: facts.virtualSize)
        }
        return Box(
            identity: identity, directory: directory, disks: disks,
            kernel: metadata.kernel.map { directory.appending($0) },
            initrd: metadata.initrd.map { directory.appending($0) }, commandLine: metadata.commandLine,
            user: metadata.user, cloudInit: metadata.cloudInit, firmware: metadata.firmware,
            smallestMemory: metadata.smallestMemory, provisioning: metadata.provisioning,
            digest: result.archiveDigest, checksums: options.checksums, archiveSize: result.archiveSize, source: source,
            catalogue: options.catalogue, isOfProject: options.isOfProject,
            added: wallClockSeconds(),
            files: contents.map { Box.File(path: $0.path, size: $0.size, digest: $0.digest) })
    }

    /// The box of an archive that holds no description, but one image, as some publishers pack theirs.
    private func adoptOnlyImage(of result: BoxUnpacker.Result, in files: FilePath) throws -> Box {
        let images = try result.files.compactMap { file -> (file: BoxUnpacker.File, format: DiskFormat)? in
            let start = try OwnedDescriptor.open(files.pushing(FilePath(file.path)), .readOnly)
                .read(upTo: AddedFileKind.startSize)
            guard case .disk(let format, isPacked: false) = AddedFileKind(start: start) else { return nil }
            return (file, format)
        }
        guard let image = images.first else { throw BoxError.missingMetadata }
        guard images.count == 1 else { throw BoxError.severalImages(images.map(\.file.path)) }
        let identity = try imageIdentity()
        try claim(identity)
        // Whatever else is there belongs to no box.
        let aside = files.removingLastComponent().appending("image")
        try FileSystem.rename(files.pushing(FilePath(image.file.path)), to: aside)
        try FileSystem.removeTree(files)
        try FileSystem.makeDirectory(files, permissions: 0o755)
        let path = files.appending(BoxDescription.diskName)
        try FileSystem.rename(aside, to: path)
        return try imageBox(
            identity, image: path, format: image.format, size: image.file.size, content: image.file.digest,
            archive: result.archiveDigest, archiveSize: result.archiveSize)
    }
}
