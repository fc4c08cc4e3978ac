import DiskImage
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

/// The kind of a file that somebody wants to add, from its first bytes; never from its name.
enum AddedFileKind: Equatable {
    /// A tar archive, plain or packed: a box, or an image that was put into one.
    case archive
    /// A disk image, as it is or packed.
    case disk(DiskFormat, isPacked: Bool)
    /// A disk image that qemu-img converts.
    case foreign(ForeignImage, isPacked: Bool)

    /// The bytes that are looked at.
    static let startSize = 4096

    /// - Throws: ``BoxError/notAnArchive(_:)``
    static func look(at path: FilePath, stated: DiskFormat?) throws -> AddedFileKind {
        let file = try OwnedDescriptor.open(path, .readOnly)
        guard try file.status().kind == .regular else { throw BoxError.notAnArchive(path) }
        let start = try file.read(upTo: startSize)
        guard PackedForm(start: start) != nil else {
            if let stated { return .disk(stated, isPacked: false) }
            guard let kind = AddedFileKind(start: start) else { throw BoxError.notAnArchive(path) }
            return kind
        }
        if let stated { return .disk(stated, isPacked: true) }
        switch AddedFileKind(start: try unpackedStart(of: path)) {
        case .disk(let format, _): return .disk(format, isPacked: true)
        case .foreign(let format, _): return .foreign(format, isPacked: true)
        // Archives older than "ustar" have no mark.
        case .archive, nil: return .archive
        }
    }

    /// What begins like this, unpacked; nil if nothing does.
    init?(start: [UInt8]) {
        // tar(5): "ustar" at 257.
        if start.count >= 262, start[257..<262].elementsEqual("ustar".utf8) {
            self = .archive
        } else if start.starts(with: [0x51, 0x46, 0x49, 0xfb]) {
            self = .disk(.qcow2, isPacked: false)
        } else if let foreign = ForeignImage(start: start) {
            self = .foreign(foreign, isPacked: false)
        } else if start.count >= 512, start[510] == 0x55, start[511] == 0xaa {
            // A disk with a partition table or boot sector,
            self = .disk(.raw, isPacked: false)
        } else if start.count >= 1082, start[1080] == 0x53, start[1081] == 0xef {
            // or an ext4 file system without one.
            self = .disk(.raw, isPacked: false)
        } else {
            return nil
        }
    }

    /// The first bytes of what is packed in the file `path`.
    private static func unpackedStart(of path: FilePath) throws -> [UInt8] {
        struct Enough: Error {}
        var start: [UInt8] = []
        let source = try ArchiveSource(
            OwnedDescriptor.open(path, .readOnly), checksums: [], label: "", sink: SilentSink(), cancellation: nil)
        let reader = try ArchiveReader.open(source, path: path, contents: .stream)
        guard try reader.nextEntry() != nil else { return [] }
        do {
            try unsafe reader.readData { bytes, _ in
                unsafe start.append(contentsOf: bytes.prefix(startSize - start.count))
                if start.count >= startSize { throw Enough() }
            }
        } catch is Enough {}
        return start
    }
}
