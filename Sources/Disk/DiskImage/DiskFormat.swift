public import SystemPackage

/// How a file holds a disk. Always told, never guessed, for a disk that a guest can write: a guest could otherwise
/// write a qcow2 header into its raw disk and have the host open files by name.
public enum DiskFormat: String, Hashable, Sendable, CaseIterable {
    case raw
    case qcow2
}

/// One file of a disk. A disk is a list of layers: the first is the disk itself, each later one holds what those before
/// it do not.
public struct DiskLayer: Hashable, Sendable {
    public var path: FilePath
    public var format: DiskFormat
    /// Whether what is given below it is what it was made on, whatever name it has for that: where layers were joined,
    /// those above still name the ones before.
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
