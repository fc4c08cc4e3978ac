public import Digest
public import Reporting
public import SystemPackage

/// Why a box, or an archive that claims to be one, was refused.
public enum BoxError: UserFacingError, Equatable {
    case invalidName(String)
    case invalidVersion(String)
    case invalidRequirement(String)
    case invalidArchitecture(String)
    case nameRequired(FilePath)

    // The archive.
    case notAnArchive(FilePath)
    case unreadable(FilePath, reason: String)
    case forbiddenEntry(String, EntryProblem)
    case tooMuchData(limit: ByteCount, what: String)
    case tooManyEntries(limit: Int)
    case missingMetadata
    /// An archive without metadata may hold one disk image.
    case severalImages([String])
    /// An image that only qemu-img reads.
    case converterMissing(String)
    case packedForeignImage(String)
    case invalidMetadata(String)
    case wrongProvider(String)
    case missingFile(String, namedBy: String)
    case fileDigestMismatch(String, stated: SHA256Digest, actual: SHA256Digest)
    case checksumMismatch(algorithm: ChecksumAlgorithm, expected: String, actual: String)
    case invalidChecksum(String)
    case invalidDisk(String, DiskProblem)
    case unwritable(FilePath, reason: String)
    case outOfMemory

    // The store.
    case alreadyPresent(BoxIdentity)
    case notFound(String, installed: [String])
    case ambiguous(String, candidates: [String])
    case inUse(BoxIdentity, machines: [String])
    case corruptRecord(FilePath, reason: String)
    /// The record may be whole, but cannot be looked at now.
    case unreadableRecord(FilePath, reason: String)
    /// An entry of the list of machines that use boxes.
    case damagedUse(FilePath)
    case damaged(BoxIdentity, files: [String])
    case outputExists(FilePath)
    /// The box holds only what differs from another one.
    case parentMissing(BoxParent)

    public enum EntryProblem: Hashable, Sendable {
        case absolutePath, parentFolder, notUTF8, unprintable, tooLong, duplicate, link, device, setUserIdentifier,
            noSize
        case tooLarge(limit: ByteCount)
        case lyingSparseMap
    }

    public enum DiskProblem: Hashable, Sendable {
        case unknownFormat(String)
        case notQcow2
        case isQcow2
        case backingFile(String)
        case externalData
        case unsupportedVersion(UInt32)
        case truncated
        /// Its tables name so many places that are not there, or are something else's.
        case damaged(UInt64)
        case size(UInt64)
    }
}

/// What tells one box of the store from another.
public struct BoxIdentity: Hashable, Sendable, CustomStringConvertible {
    public var name: BoxName
    public var version: BoxVersion
    public var architecture: Architecture

    public init(name: BoxName, version: BoxVersion, architecture: Architecture) {
        self.name = name
        self.version = version
        self.architecture = architecture
    }

    public var description: String { "\(name) \(version) (\(architecture))" }
}

extension BoxError {
    /// Whether another attempt with the same file ends the same way on any host.
    var isFileAtFault: Bool {
        switch self {
        case .converterMissing, .unwritable, .outOfMemory, .alreadyPresent, .inUse, .parentMissing, .corruptRecord,
            .unreadableRecord, .damagedUse:
            false
        default: true
        }
    }
}
