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

    let store: BoxStore
    let archive: FilePath
    let options: BoxStore.AddOptions
    let sink: any EventSink
    let cancellation: Cancellation?
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

    var source: String { options.source ?? ((try? FileSystem.resolve(archive)) ?? archive).string }

    /// Who adds the box `identity` first does; the others wait here, and then find it.
    func claim(_ identity: BoxIdentity) throws {
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

    /// What an image that does not name itself is called.
    func imageIdentity() throws -> BoxIdentity {
        guard let name = options.name ?? options.fallbackName else { throw BoxError.nameRequired(archive) }
        return BoxIdentity(
            name: name, version: options.version ?? .unversioned, architecture: options.architecture ?? .host)
    }

    /// The box that is an image alone.
    /// - Parameter image: The image, in the staging folder.
    func imageBox(
        _ identity: BoxIdentity, image: FilePath, format: DiskFormat, size: UInt64, content: SHA256Digest,
        archive digest: SHA256Digest, archiveSize: UInt64
    ) throws -> Box {
        let facts = try DiskFacts.look(at: image, name: source, stated: format)
        if facts.format == .qcow2 { try refuseDamage(image) }
        let directory = store.folder(of: identity).appending(BoxRecord.filesFolder)
        let known = options.facts ?? ImageFacts()
        return Box(
            identity: identity, directory: directory,
            disks: [
                Box.Disk(
                    path: directory.appending(BoxDescription.diskName), format: facts.format,
                    virtualSize: facts.virtualSize)
            ],
            user: known.user, cloudInit: known.cloudInit, firmware: known.firmware,
            smallestMemory: known.smallestMemory,
            digest: digest, checksums: options.checksums, archiveSize: archiveSize, source: source,
            catalogue: options.catalogue, isOfProject: options.isOfProject, added: wallClockSeconds(),
            files: [Box.File(path: BoxDescription.diskName, size: size, digest: content)])
    }

    /// A half of an image looks whole from its header, and its guest would find out.
    private func refuseDamage(_ image: FilePath) throws {
        let report = try DiskImage.check(DiskLayer(path: image, format: .qcow2))
        guard report.corruptions == 0 else { throw BoxError.invalidDisk(source, .damaged(report.corruptions)) }
    }

    /// Compares what was read with every checksum that somebody stated.
    func compareChecksums(digest: SHA256Digest, other: ExpectedChecksum?, hexadecimal: String?) throws {
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
