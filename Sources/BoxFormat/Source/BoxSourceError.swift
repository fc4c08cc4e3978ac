public import Digest
public import Reporting
public import SystemPackage

/// Why a box could not be fetched from where it is published, or may not be used.
public enum BoxSourceError: UserFacingError, Equatable {
    case invalidLocation(String)
    case noSuchFile(FilePath)
    case downloaderMissing
    /// - Parameter resumes: Whether the next attempt goes on where this one ended.
    case downloadFailed(url: String, reason: String, resumes: Bool = false)
    /// What arrived is of no use.
    case unusableDownload(url: String, BoxError)
    case httpStatus(url: String, status: Int)
    case tooLarge(url: String, limit: ByteCount)

    case invalidCatalogue(String, reason: String)
    case catalogueName(found: String, wanted: String)
    /// - Parameter available: What the catalogue has, newest first.
    case noVersion(String, requirement: String, architecture: String, available: [String])
    /// Every catalogue answered, and none has it.
    /// - Parameter near: Names that are there and may have been meant.
    case notInAnyCatalogue(String, attempts: [String], near: [String] = [])
    /// No catalogue has it, as far as they answered.
    case cataloguesUnreachable(String, attempts: [String], near: [String] = [])
    case notACatalogue(String)

    // Catalogues of images.
    case invalidImages([Diagnostic])
    case unknownMirror(String, image: String)
    /// A variable of the environment names no place.
    case invalidMirror(variable: String, String)
    /// Nothing answers, or not as it should.
    indirect case imageUnreachable(ImageCatalogues.Found, BoxSourceError)
    /// What should be a list of checksums does not have the image's.
    case noChecksum(ImageCatalogues.Found)
    /// The image is not what its publisher's list says.
    case imageMismatch(ImageCatalogues.Found, expected: ExpectedChecksum, actual: String)
    /// The image that the lock records is published no longer.
    case imageReplaced(BoxIdentity, locked: SHA256Digest, published: BoxVersion)

    case unwantedVersion(BoxIdentity, requirement: String)
    case unwantedArchitecture(BoxIdentity, wanted: Architecture)
    case lockedDigest(BoxIdentity, locked: SHA256Digest, actual: SHA256Digest)
    /// The locked box came from a file, and is not here.
    case lockedElsewhere(BoxIdentity, source: String)
    case differentBox(BoxIdentity, FilePath)
    case notLocked(String)
    case lockWouldChange(String)
    case checksumUnknown(BoxIdentity, ChecksumAlgorithm)
    case invalidLock(FilePath, reason: String)
    case noCatalogueRecorded(BoxIdentity)

    /// Whether a catalogue said by this that it does not have a box. All else leaves that open.
    var isAnswer: Bool {
        switch self {
        case .httpStatus(_, let status): [404, 410].contains(status)
        case .noSuchFile, .notACatalogue: true
        default: false
        }
    }
}
