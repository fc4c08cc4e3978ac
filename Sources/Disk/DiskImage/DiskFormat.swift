public import SystemPackage

/// How a file holds a disk. For a disk that a guest can write, the format is always given and never guessed: a guest
/// could otherwise write a qcow2 header into its raw disk and make the host open files by name.
public enum DiskFormat: String, Hashable, Sendable, CaseIterable {
    case raw
    case qcow2
}

/// One file of a disk. A disk is a list of layers: the first is the disk itself, and each later one holds what the
/// earlier ones do not.
public struct DiskLayer: Hashable, Sendable {
    public var path: FilePath
    public var format: DiskFormat
    /// Whether the layer given below it is its real base, whatever name the image has for that: after layers were
    /// merged, those above still name the old ones.
    public var isPlacedByRecord: Bool

    public init(path: FilePath, format: DiskFormat, isPlacedByRecord: Bool = false) {
        self.path = path
        self.format = format
        self.isPlacedByRecord = isPlacedByRecord
    }
}

/// What a disk is opened for.
public enum DiskAccess: Hashable, Sendable {
    case readOnly
    case readWrite
}
