internal import Digest
internal import DiskImage
internal import Glibc
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

/// Makes the whole box from a thin box, which holds only what differs from its parent.
struct ThinBox {
    let parent: Box
    let metadata: BoxMetadata
    let sink: any EventSink
    let cancellation: Cancellation?

    /// Puts the disk and what the thin box takes over from its parent into `folder`, and takes the layer of changes
    /// out.
    /// - Parameter files: What was unpacked.
    /// - Returns: What the box consists of now.
    func complete(_ files: [BoxUnpacker.File], in folder: FilePath) throws -> [BoxUnpacker.File] {
        guard let disk = metadata.disks.first, metadata.disks.count == 1 else {
            throw BoxError.invalidMetadata("a thin box has one disk")
        }
        guard files.contains(where: { $0.path == BoxParent.changesName }) else {
            throw BoxError.missingFile(BoxParent.changesName, namedBy: BoxMetadata.fileName)
        }
        guard let stated = metadata.digests.first(where: { $0.file == disk.path })?.digest else {
            throw BoxError.invalidMetadata("a thin box must state the digest of its disk")
        }
        let changes = folder.appending(BoxParent.changesName)
        let target = folder.appending(disk.path)
        try flatten(changes, to: target)
        let actual = SHA256Digest(result: try hash(target))
        guard actual == stated else { throw BoxError.fileDigestMismatch(disk.path, stated: stated, actual: actual) }
        try FileSystem.remove(changes)
        var result = files.filter { $0.path != BoxParent.changesName && $0.path != disk.path }
        result.append(try file(disk.path, in: folder, digest: actual))
        for (name, source) in [(metadata.kernel, parent.kernel), (metadata.initrd, parent.initrd)] {
            guard let name, !files.contains(where: { $0.path == name }) else { continue }
            guard let source,
                let old = parent.files.first(where: { parent.directory.pushing(FilePath($0.path)) == source })
            else { throw BoxError.missingFile(name, namedBy: BoxMetadata.fileName) }
            try share(source, as: folder.appending(name))
            result.append(try file(name, in: folder, digest: old.digest))
        }
        return result
    }

    private func file(_ name: String, in folder: FilePath, digest: SHA256Digest) throws -> BoxUnpacker.File {
        let size = try FileSystem.status(folder.appending(name))?.size ?? 0
        return BoxUnpacker.File(path: name, size: UInt64(clamping: size), digest: digest)
    }

    /// As `package` wrote the whole disk: the same bytes.
    private func flatten(_ changes: FilePath, to target: FilePath) throws {
        let layers = [
            DiskLayer(path: changes, format: .qcow2),
            DiskLayer(path: parent.disk.path, format: parent.disk.format),
        ]
        let storage = try DiskImage.open(layers, access: .readOnly)
        defer { try? storage.close() }
        let label = "joining with \(parent.name)"
        try DiskImage.flatten(storage, to: target, permissions: 0o444) { done, total throws(DiskImageError) in
            if cancellation?.isRequested == true { throw .interrupted }
            sink.report(.progress(Progress(label, completed: done, total: total)))
        }
        sink.report(.finished(label: label))
    }

    private func hash(_ path: FilePath) throws -> [UInt8] {
        let file = try OwnedDescriptor.open(path, .readOnly)
        var checksum = Checksum(.sha256)
        while true {
            try cancellation?.check()
            let bytes = try file.read(upTo: 1 << 20)
            if bytes.isEmpty { return checksum.finish() }
            checksum.update(bytes)
        }
    }

    /// Stored files never change, so that two boxes may share one.
    private func share(_ source: FilePath, as target: FilePath) throws {
        let linked = unsafe source.withPlatformString { from in
            unsafe target.withPlatformString { to in unsafe link(from, to) }
        }
        guard linked != 0 else { return }
        let input = try OwnedDescriptor.open(source, .readOnly)
        let output = try OwnedDescriptor.open(target, [.writeOnly, .create, .exclusive], permissions: 0o444)
        while true {
            let bytes = try input.read(upTo: 1 << 20)
            if bytes.isEmpty { break }
            try output.writeAll(bytes)
        }
        try output.synchronize()
    }
}

extension BoxStore {
    /// The box that a thin box needs.
    /// - Throws: ``BoxError/parentMissing(_:)``
    func parentBox(_ parent: BoxParent) throws -> Box {
        guard let box = try list().boxes.first(where: { $0.digest == parent.digest }) else {
            throw BoxError.parentMissing(parent)
        }
        return box
    }
}
