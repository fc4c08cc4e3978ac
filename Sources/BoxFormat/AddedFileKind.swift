import DiskImage
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

/// The kind of a file that somebody wants to add, from its first bytes.
enum AddedFileKind: Equatable {
    case archive
    case disk(DiskFormat)

    /// - Throws: ``BoxError/notAnArchive(_:)``
    static func look(at path: FilePath, stated: DiskFormat?) throws -> AddedFileKind {
        let file = try OwnedDescriptor.open(path, .readOnly)
        guard try file.status().kind == .regular else { throw BoxError.notAnArchive(path) }
        if let stated { return .disk(stated) }
        let start = try file.read(upTo: 4096)
        let packed: [[UInt8]] = [
            [0x1f, 0x8b], [0x28, 0xb5, 0x2f, 0xfd], [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], Array("BZh".utf8),
        ]
        if packed.contains(where: { start.starts(with: $0) }) { return .archive }
        if start.starts(with: [0x51, 0x46, 0x49, 0xfb]) { return .disk(.qcow2) }
        // tar(5): "ustar" at 257. Skippable zstd frames (as pzstd writes) come first in some archives.
        if start.count >= 262, start[257..<262].elementsEqual("ustar".utf8) { return .archive }
        if start.count >= 4, start[0] & 0xf0 == 0x50, start[1...3].elementsEqual([0x2a, 0x4d, 0x18]) {
            return .archive
        }
        // A disk with a partition table or boot sector, or an ext4 file system without one.
        if start.count >= 512, start[510] == 0x55, start[511] == 0xaa { return .disk(.raw) }
        if start.count >= 1082, start[1080] == 0x53, start[1081] == 0xef { return .disk(.raw) }
        throw BoxError.notAnArchive(path)
    }
}
