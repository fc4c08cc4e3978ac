import DiskImage
internal import LinuxSystem
internal import SystemPackage

/// What the header of a disk image says, as far as a box store must know before it trusts the file.
struct DiskFacts: Equatable {
    var format: DiskFormat
    /// In bytes.
    var virtualSize: UInt64

    private static let magic: [UInt8] = [0x51, 0x46, 0x49, 0xfb]
    /// The largest disk of a guest, in bytes; a larger value is not believed.
    static let sizeLimit: UInt64 = 1 << 46

    /// Looks at the image `path`, called `name` in messages.
    /// - Parameter stated: What the box says. nil takes qcow2 for what has its magic number, raw for the rest.
    static func look(at path: FilePath, name: String, stated: DiskFormat?) throws -> DiskFacts {
        let file = try OwnedDescriptor.open(path, [.readOnly, .noFollow])
        let size = UInt64(clamping: try file.status().size)
        let header = try file.read(upTo: 112)
        let isQcow2 = header.starts(with: magic)
        switch stated ?? (isQcow2 ? .qcow2 : .raw) {
        case .raw:
            guard !isQcow2 else { throw BoxError.invalidDisk(name, .isQcow2) }
            guard size > 0, size <= sizeLimit else { throw BoxError.invalidDisk(name, .size(size)) }
            return DiskFacts(format: .raw, virtualSize: size)
        case .qcow2:
            guard isQcow2 else { throw BoxError.invalidDisk(name, .notQcow2) }
            let backing = try backingFile(header, of: file, fileSize: size)
            return try qcow2(header, name: name, backing: backing)
        }
    }

    /// qcow2 specification (QEMU, docs/interop/qcow2.txt), "Header".
    static func qcow2(_ header: [UInt8], name: String, backing: String? = nil) throws(BoxError) -> DiskFacts {
        guard header.count >= 72 else { throw .invalidDisk(name, .truncated) }
        let version = UInt32(truncatingIfNeeded: bigEndian(header, at: 4, count: 4))
        guard version == 2 || version == 3 else { throw .invalidDisk(name, .unsupportedVersion(version)) }
        if bigEndian(header, at: 8, count: 8) != 0 { throw .invalidDisk(name, .backingFile(backing ?? "?")) }
        if version == 3 {
            guard header.count >= 104 else { throw .invalidDisk(name, .truncated) }
            let incompatibleFeatures = bigEndian(header, at: 72, count: 8)
            let externalDataFile: UInt64 = 1 << 2
            if incompatibleFeatures & externalDataFile != 0 { throw .invalidDisk(name, .externalData) }
        }
        let size = bigEndian(header, at: 24, count: 8)
        guard size > 0, size <= sizeLimit else { throw .invalidDisk(name, .size(size)) }
        return DiskFacts(format: .qcow2, virtualSize: size)
    }

    private static func backingFile(
        _ header: [UInt8], of file: borrowing OwnedDescriptor, fileSize: UInt64
    ) throws -> String? {
        guard header.count >= 20 else { return nil }
        let offset = bigEndian(header, at: 8, count: 8)
        let length = min(1023, bigEndian(header, at: 16, count: 4))
        guard offset > 0, length > 0, offset < fileSize, let start = Int64(exactly: offset) else { return nil }
        var name = [UInt8](repeating: 0, count: Int(length))
        let count = try unsafe name.withUnsafeMutableBytes { try unsafe file.read(into: $0, at: start) }
        return name.prefix(count).shown
    }

    private static func bigEndian(_ bytes: [UInt8], at offset: Int, count: Int) -> UInt64 {
        bytes[offset..<offset + count].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
