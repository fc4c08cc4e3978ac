public import Digest
public import DiskImage
public import JSON
public import SystemPackage

/// A box in the store: unpacked, complete and read-only. Machines use its disk images in place, under their overlays.
public struct Box: Sendable, Hashable {
    public struct Disk: Sendable, Hashable {
        public var path: FilePath
        public var format: DiskFormat
        /// The size that a guest sees, in bytes.
        public var virtualSize: UInt64
    }

    public struct File: Sendable, Hashable {
        /// Relative to ``Box/directory``.
        public var path: String
        /// In bytes, holes included.
        public var size: UInt64
        public var digest: SHA256Digest
    }

    public var identity: BoxIdentity
    public var name: BoxName { identity.name }
    public var version: BoxVersion { identity.version }
    public var architecture: Architecture { identity.architecture }

    /// Where the archive's files are.
    public var directory: FilePath
    /// No box has more disks: monitors have so many places for them.
    public static let diskLimit = 12

    /// The disks in the order in which a machine gets them; it boots from the first.
    public var disks: [Disk]
    /// The kernel for direct boot; nil if the disk's boot loader starts the guest.
    public var kernel: FilePath?
    public var initrd: FilePath?
    /// The kernel's command line, without what a monitor adds.
    public var commandLine: String?
    /// The user to log in as; nil for the usual user of Vagrant's boxes.
    public var user: String?
    /// Whether cloud-init in the box takes the user, the key and the rest from a seed disk.
    public var cloudInit = false
    /// The firmware that starts the disk's boot loader; nil leaves that to what is on the disk.
    public var firmware: BoxFirmware?
    /// The least memory in which the box starts, in bytes; nil if nobody said.
    public var smallestMemory: UInt64?
    /// The key that `package` of another machine left in the box.
    public var privateKey: FilePath?
    /// What has been done in the box already: one record for each provisioning step. The reader must check them.
    public var provisioning: JSONValue = .array([])

    /// The digest of the archive that the box came from (of the image, for a plain disk image).
    public var digest: SHA256Digest
    /// The archive's checksums in other algorithms, if somebody stated them and they matched.
    public var checksums: [ExpectedChecksum] = []
    /// The archive's size, in bytes.
    public var archiveSize: UInt64
    /// The file or URL that the box came from, without credentials.
    public var source: String
    /// The catalogue that listed the box.
    public var catalogue: String?
    /// Whether a project's Wanderfile brought it, by its place. What it calls itself is then no name for others.
    var isOfProject = false
    /// Seconds since 1970.
    public var added: Int64
    public var files: [File]

    /// The disk to boot from.
    public var disk: Disk { disks[0] }
    /// The digest of what machines are made on, independent of the archive: of the disk's image, or of the digests of
    /// several; nil if the record does not have it.
    public var diskDigest: SHA256Digest? {
        let digests = disks.compactMap { digest(of: $0) }
        guard digests.count == disks.count else { return nil }
        return digests.count == 1
            ? digests[0] : SHA256Digest(of: Array(digests.map(\.hexadecimal).joined(separator: "\n").utf8))
    }
    func digest(of disk: Disk) -> SHA256Digest? {
        files.first { directory.appending($0.path) == disk.path }?.digest
    }
    /// The size of all files, holes included, in bytes.
    public var size: UInt64 { files.reduce(0) { $0 &+ $1.size } }
}
