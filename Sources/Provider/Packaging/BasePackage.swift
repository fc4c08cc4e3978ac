import BoxFormat
import DiskImage
import JSON
public import LinuxSystem
public import Reporting
public import SystemPackage

/// Makes a box of a disk image that is not a machine's. Its own boot loader starts it, and its contents stay as they
/// are.
public struct BasePackage {
    public let events: any EventSink
    public let cancellation: Cancellation

    public init(events: any EventSink, cancellation: Cancellation) {
        self.events = events
        self.cancellation = cancellation
    }

    /// - Parameter image: qcow2 by its magic number, otherwise raw; without a backing file.
    public func make(of image: FilePath, _ options: PackageOptions) throws -> PackageOutcome {
        guard !FileSystem.isAbsent(image) else { throw PackageError.missingImage(image) }
        let contents = try PackageContents(options)
        try PackageOutput.check(options, contents)
        let magic = try OwnedDescriptor.open(image, .readOnly).read(upTo: 4)
        // One file and no other is opened, whatever it says, so that a guess does no harm.
        let layer = DiskLayer(path: image, format: magic == [0x51, 0x46, 0x49, 0xfb] ? .qcow2 : .raw)
        let disk = try DiskWithoutFreeSpace(try DiskImage.open([layer], access: .readOnly))
        defer { try? disk.close() }
        let folder = options.output.removingLastComponent()
        // Without a name, so that whatever ends this process leaves nothing.
        let file = try UnnamedFile(in: folder, name: options.output.lastComponent?.string ?? "box", permissions: 0o600)
        defer { withExtendedLifetime(file) {} }
        let flat = file.path
        let label = "reading the disk"
        try DiskImage.flatten(disk, into: flat) {
            done, total throws(DiskImageError) in
            if cancellation.isRequested { throw .interrupted }
            events.report(.progress(Progress(label, completed: done, total: total)))
        }
        events.report(.finished(label: label))
        var description = BoxDescription(architecture: .host, virtualSize: disk.virtualSize)
        let stem = (image.stem ?? "box").lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        let words = String(stem.drop { $0 == "-" }.prefix(60))
        let name = try options.name ?? BoxName(words.isEmpty ? "box" : words)
        description.name = name
        description.version = options.version
        var files = contents.files
        files[BoxDescription.diskName] = .file(flat)
        files[BoxDescription.fileName] = .bytes(Array(description.json.pretty.utf8))
        let writer = BoxWriter(files, compression: options.compression, sink: events, cancellation: cancellation)
        let (digest, size) = try writer.write(to: options.output, replace: options.replace)
        return PackageOutcome(
            machine: "", output: options.output, size: size, digest: digest, name: name, version: options.version,
            virtualSize: disk.virtualSize, diskSize: UInt64(clamping: try FileSystem.status(flat)?.size ?? 0),
            stopped: false, preparation: PreparationReport(), provisioned: [])
    }
}
