internal import Digest
import DiskImage
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

/// One box on its way into the store: from the file to a staging folder and the record that describes it.
final class AddJob {
    /// Ends the work early: another process was faster.
    struct AlreadyPresent: Error {
        var box: Box
    }

    private let store: BoxStore
    private let archive: FilePath
    private let options: BoxStore.AddOptions
    private let sink: any EventSink
    private let cancellation: Cancellation?
    /// Held from the moment at which the box's identity is known until the value goes away.
    private var identityLock: BoxStore.HeldLock?

    init(
        store: BoxStore, archive: FilePath, options: BoxStore.AddOptions, sink: any EventSink,
        cancellation: Cancellation?
    ) {
        self.store = store
        self.archive = archive
        self.options = options
        self.sink = sink
        self.cancellation = cancellation
    }

    private var source: String { options.source ?? ((try? FileSystem.resolve(archive)) ?? archive).string }

    /// Who adds the box `identity` first does; the others wait here, and then find it.
    private func claim(_ identity: BoxIdentity) throws {
        try options.accept(identity)
        let key = "box-" + SHA256Digest(of: Array("\(identity)".utf8)).short
        let lock = try store.lock(
            key, waiting: "another wander is adding the box \(identity); waiting for it", sink: sink,
            cancellation: cancellation)
        identityLock = lock
        guard options.whenPresent != .replace else { return }
        var present: Box?
        do throws(BoxError) {
            present = try store.box(identity)
        } catch {
            // A damaged one gives way; one that cannot be looked at may be whole.
            guard case .corruptRecord = error else { throw error }
        }
        guard let present else { return }
        guard options.whenPresent == .use || lock.hasWaited else { throw BoxError.alreadyPresent(identity) }
        throw AlreadyPresent(box: present)
    }

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
        guard let identity else { throw BoxError.missingMetadata }
        let metadata = result.metadata
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
            catalogue: options.catalogue,
            added: wallClockSeconds(),
            files: contents.map { Box.File(path: $0.path, size: $0.size, digest: $0.digest) })
    }

    /// Copies a disk image that is no archive, hashing it on the way; zeros become holes.
    func copyDisk(_ format: DiskFormat, into files: FilePath) throws -> Box {
        guard let name = options.name ?? options.fallbackName else { throw BoxError.nameRequired(archive) }
        let identity = BoxIdentity(
            name: name, version: options.version ?? .unversioned, architecture: options.architecture ?? .host)
        try claim(identity)
        let facts = try DiskFacts.look(at: archive, name: archive.string, stated: format)
        let checksum = try BackgroundChecksum(.sha256)
        defer { checksum.stop() }
        let other = options.checksums.first { $0.algorithm != .sha256 }
        let second = try other.map { other throws(SystemError) in try BackgroundChecksum(other.algorithm) }
        defer { second?.stop() }
        let label = "copying \(name)"
        let source = try ArchiveSource(
            OwnedDescriptor.open(archive, .readOnly), checksums: [checksum] + (second.map { [$0] } ?? []), label: label,
            sink: sink, cancellation: cancellation)
        let fileName = "box.img"
        let path = files.appending(fileName)
        var writer = try SparseFileWriter(creating: path)
        while true {
            let start = Int64(source.position)
            let bytes = try unsafe source.next()
            if unsafe bytes.isEmpty { break }
            do {
                try unsafe writer.write(bytes, at: start)
            } catch { throw SystemError("write", path, error.errno) }
        }
        let size = source.position
        try writer.finish(length: Int64(size), permissions: 0o444)
        sink.report(.finished(label: label))
        checksum.end()
        second?.end()
        let digest = SHA256Digest(result: checksum.results().first ?? [])
        try compareChecksums(digest: digest, other: other, hexadecimal: second?.results().first.map { hexadecimal($0) })
        let directory = store.folder(of: identity).appending(BoxRecord.filesFolder)
        return Box(
            identity: identity, directory: directory,
            disks: [
                Box.Disk(path: directory.appending(fileName), format: facts.format, virtualSize: facts.virtualSize)
            ],
            digest: digest, checksums: options.checksums, archiveSize: size, source: self.source,
            catalogue: options.catalogue,
            added: wallClockSeconds(), files: [Box.File(path: fileName, size: size, digest: digest)])
    }

    private func compareChecksums(digest: SHA256Digest, other: ExpectedChecksum?, hexadecimal: String?) throws {
        for expected in options.checksums {
            if expected.algorithm == .sha256 {
                try expected.compare(with: digest.hexadecimal)
            } else if expected.algorithm == other?.algorithm, let hexadecimal {
                try expected.compare(with: hexadecimal)
            } else {
                // Two kinds besides SHA-256: the second takes a pass of its own.
                try expected.compare(with: try fileChecksum(archive, expected.algorithm, cancellation: cancellation))
            }
        }
    }
}

/// The checksum of a whole file, in hexadecimal.
func fileChecksum(
    _ path: FilePath, _ algorithm: ChecksumAlgorithm, cancellation: Cancellation?
) throws -> String {
    let file = try OwnedDescriptor.open(path, [.readOnly, .noFollow])
    var checksum = Checksum(algorithm)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { unsafe buffer.deallocate() }
    while true {
        try cancellation?.check()
        let count = try unsafe file.read(into: buffer)
        if count == 0 { break }
        unsafe checksum.update(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
    }
    return hexadecimal(checksum.finish())
}
