public import LinuxSystem
public import Reporting
public import SystemPackage

/// Why a disk image was refused or a request to it failed.
public indirect enum DiskImageError: UserFacingError, Equatable {
    /// The host's kernel said no.
    case system(SystemError)
    case outOfRange(offset: UInt64, count: UInt64, size: UInt64)
    case readOnly
    case closed
    /// An earlier error left it unknown what is on the disk, so nothing more is written.
    case failedBefore
    case outOfMemory

    case notQcow2
    case unsupportedVersion(UInt32)
    case invalidClusterBits(UInt32)
    case invalidRefcountOrder(UInt32)
    case encrypted
    /// A feature by its name, or by its number where the image gives none.
    case unsupportedFeature(String)
    /// A field of the header has a value that the format forbids.
    case invalidHeader(field: String, value: UInt64)
    /// An entry of a table points where it must not.
    case corrupt(QcowStructure, offset: UInt64)
    /// The image says about itself that it is corrupt.
    case markedCorrupt
    case hasSnapshots(UInt32)
    case notWritable(version: UInt32)
    /// The image is larger than a bound that keeps memory and time in check.
    case tooLarge(String, value: UInt64, limit: UInt64)

    case backingMissing(name: String)
    case backingUnexpected(FilePath)
    case backingMismatch(recorded: String, given: FilePath)
    case backingOutsideFolder(name: String)
    case backingHasProtocol(name: String)
    case backingNameTooLong(Int)
    case backingLoop(FilePath)
    case chainTooDeep(limit: Int)

    case locked(FilePath)
    case notAFile(FilePath)
    case alreadyExists(FilePath)
    case cannotShrink(from: UInt64, to: UInt64)
    case cannotDetectFormat(FilePath)
    /// An error of one layer, with its file.
    case inFile(FilePath, DiskImageError)
    case interrupted
}

/// The parts of a qcow2 image.
public enum QcowStructure: String, Hashable, Sendable, CaseIterable {
    case header
    case extensions = "header extensions"
    case backingName = "backing file name"
    case level1Table = "L1 table"
    case level2Table = "L2 table"
    case refcountTable = "refcount table"
    case refcountBlock = "refcount block"
    case dataCluster = "data cluster"
    case compressedCluster = "compressed cluster"
    case snapshotTable = "snapshot table"
}

extension DiskImageError {
    public var summary: String {
        switch self {
        case .system(let error): error.summary
        case .outOfRange(let offset, let count, let size):
            "a request for \(count) bytes at \(offset) does not fit the disk of \(size) bytes"
        case .readOnly: "the disk is open for reading only"
        case .closed: "the disk is closed"
        case .failedBefore: "an earlier write failed, so the disk takes no more writes"
        case .outOfMemory: "there is not enough memory to open the disk image"
        case .notQcow2: "the file is not a qcow2 image"
        case .unsupportedVersion(let version): "the image has qcow version \(version); wander knows 2 and 3"
        case .invalidClusterBits(let bits): "the image declares clusters of 2^\(bits) bytes; qcow2 allows 2^9 to 2^21"
        case .invalidRefcountOrder(let order):
            "the image declares refcounts of 2^\(order) bits; qcow2 allows 2^0 to 2^6"
        case .encrypted: "the image is encrypted, which wander does not support"
        case .unsupportedFeature(let name): "the image needs the qcow2 feature '\(name)', which wander does not have"
        case .invalidHeader(let field, let value): "the image's header has \(value) as its \(field), which is not valid"
        case .corrupt(let structure, let offset):
            "the image is corrupt: bad \(structure.rawValue) at byte \(offset) of the file"
        case .markedCorrupt: "the image is marked as corrupt"
        case .hasSnapshots(let count):
            "the image has \(counted(count, "internal snapshot")), so wander does not write to it"
        case .notWritable(let version): "the image has qcow2 version \(version), which wander reads but does not write"
        case .tooLarge(let what, let value, let limit): "the image's \(what) is \(value); wander's limit is \(limit)"
        case .backingMissing(let name): "the image needs the backing file '\(name)', and none was given"
        case .backingUnexpected(let path): "the image has no backing file, but \(path) was given as one"
        case .backingMismatch(let recorded, let given): "the image was made on '\(recorded)', not on \(given)"
        case .backingOutsideFolder(let name): "the image names a backing file outside its own folder: '\(name)'"
        case .backingHasProtocol(let name): "the image names a backing file that is not a plain file: '\(name)'"
        case .backingNameTooLong(let count): "the backing file's name has \(count) bytes; qcow2 allows 1023"
        case .backingLoop(let path): "\(path) is its own backing file"
        case .chainTooDeep(let limit): "the disk has more than \(limit) layers"
        case .locked(let path): "\(path) is in use by another program"
        case .notAFile(let path): "\(path) is not a regular file or block device"
        case .alreadyExists(let path): "\(path) exists already"
        case .cannotShrink(let from, let to): "a disk of \(from) bytes cannot be made smaller (\(to) bytes)"
        case .cannotDetectFormat(let path): "\(path) does not say what format it has"
        case .inFile(let path, let error): "\(path): \(error.summary)"
        case .interrupted: "interrupted"
        }
    }

    public var remedy: String? {
        switch self {
        case .system(let error): error.remedy
        case .inFile(let path, .corrupt), .inFile(let path, .markedCorrupt):
            "See what is wrong, and repair what can be: wander disk check --repair '\(path)'"
        case .inFile(_, let error): error.remedy
        case .failedBefore: "Stop the machine, then look at the disk: wander disk check"
        case .corrupt, .markedCorrupt: "See what is wrong, and repair what can be: wander disk check --repair DISK"
        case .unsupportedVersion, .encrypted, .unsupportedFeature, .hasSnapshots, .notWritable:
            "Convert it: qemu-img convert -O qcow2 OLD NEW"
        case .backingOutsideFolder: "If you trust the image, add --trust-backing."
        case .backingMismatch:
            "Go back to a snapshot: 'wander snapshot restore NAME'. Or make the machine again: wander destroy && wander up"
        case .locked: "Stop the machine or the program that uses the disk."
        case .cannotDetectFormat: "Say which it is: --format raw or --format qcow2"
        default: nil
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .system(let error): error.kind
        case .inFile(_, let error): error.kind
        case .locked, .readOnly, .closed, .failedBefore, .alreadyExists: .wrongState
        case .outOfMemory: .hostNotAble
        case .backingOutsideFolder, .backingHasProtocol: .refused
        case .interrupted: .interrupted
        default: .failure
        }
    }
}

extension DiskImageError {
    /// Whether the host's file system has no room: the same request may succeed later.
    var isFullFileSystem: Bool {
        if case .system(let error) = self { return error.errno == .noSpace || error.errno == .diskQuotaExceeded }
        return false
    }
}
