public import Digest
public import Reporting
public import SystemPackage

/// Why a box could not be fetched from where it is published, or may not be used.
public enum BoxSourceError: UserFacingError, Equatable {
    case invalidLocation(String)
    case noSuchFile(FilePath)
    case downloaderMissing
    case downloadFailed(url: String, reason: String)
    case httpStatus(url: String, status: Int)
    case tooLarge(url: String, limit: ByteCount)

    case invalidCatalogue(String, reason: String)
    case catalogueName(found: String, wanted: String)
    /// - Parameter available: What the catalogue has, newest first.
    case noVersion(String, requirement: String, architecture: String, available: [String])
    /// Every catalogue answered, and none has it.
    case notInAnyCatalogue(String, attempts: [String])
    /// No catalogue has it, as far as they answered.
    case cataloguesUnreachable(String, attempts: [String])
    case notACatalogue(String)

    case unwantedVersion(BoxIdentity, requirement: String)
    case unwantedArchitecture(BoxIdentity, wanted: Architecture)
    case lockedDigest(BoxIdentity, locked: SHA256Digest, actual: SHA256Digest)
    case differentBox(BoxIdentity, FilePath)
    case notLocked(String)
    case lockWouldChange(String)
    case checksumUnknown(BoxIdentity, ChecksumAlgorithm)
    case invalidLock(FilePath, reason: String)
    case noCatalogueRecorded(BoxIdentity)

    public var summary: String {
        switch self {
        case .invalidLocation(let text): "'\(text.utf8.shown)' is neither a file nor a URL that wander can fetch"
        case .noSuchFile(let path): "there is no file \(path)"
        case .downloaderMissing: "curl is not installed, so nothing can be downloaded"
        case .downloadFailed(let url, let reason): "cannot download \(url): \(reason)"
        case .httpStatus(let url, let status):
            "cannot download \(url): the server answered \(status)\(Self.name(of: status))"
        case .tooLarge(let url, let limit): "\(url) is larger than \(limit)"
        case .invalidCatalogue(let place, let reason): "the catalogue \(place) is not valid: \(reason)"
        case .catalogueName(let found, let wanted):
            "the catalogue is for the box '\(found.utf8.shown)', not '\(wanted)'"
        case .noVersion(let name, let requirement, let architecture, _):
            "no version of '\(name)' satisfies '\(requirement)' for \(architecture)"
        case .notInAnyCatalogue(let name, _): "no catalogue has the box '\(name)'"
        case .cataloguesUnreachable(let name, let attempts):
            "cannot ask \(attempts.count == 1 ? "the catalogue" : "every catalogue") for the box '\(name)'"
        case .notACatalogue(let place): "\(place) is not a catalogue"
        case .unwantedVersion(let box, let requirement): "the box is \(box), which does not satisfy '\(requirement)'"
        case .unwantedArchitecture(let box, let wanted): "the box is \(box), but \(wanted) is wanted"
        case .lockedDigest(let box, _, _): "the box \(box) is not the one that Wanderfile.lock records"
        case .differentBox(let box, let path): "the stored box \(box) is not the one in \(path)"
        case .notLocked(let name):
            "Wanderfile.lock records no fitting version of the box '\(name)', and --locked does not allow changing it"
        case .lockWouldChange(let name): "Wanderfile.lock would change for the box '\(name)', and --locked forbids that"
        case .checksumUnknown(let box, let algorithm):
            "the box \(box) is there, but nobody compared its \(algorithm.rawValue) checksum when it was added"
        case .invalidLock(let path, let reason): "\(path) is not valid: \(reason)"
        case .noCatalogueRecorded(let box): "the box \(box) did not come from a catalogue"
        }
    }

    public var detail: String? {
        switch self {
        case .noVersion(_, _, _, let available) where !available.isEmpty:
            "There are: " + available.prefix(20).joined(separator: ", ")
        case .notInAnyCatalogue(_, let attempts), .cataloguesUnreachable(_, let attempts):
            attempts.isEmpty ? nil : attempts.joined(separator: "\n")
        case .lockedDigest(_, let locked, let actual): "locked: \(locked)\nactual: \(actual)"
        default: nil
        }
    }

    public var remedy: String? {
        switch self {
        case .invalidLocation: "Give a path, or a URL that starts with https://, http:// or file://."
        case .downloaderMissing: "Install curl, or download the box yourself and add the file: wander box add FILE"
        case .downloadFailed: "Try again: what has arrived is kept, and the download continues from there."
        case .httpStatus(_, 401), .httpStatus(_, 403):
            "Put your credentials for that server into ~/.netrc, or into the URL as https://USER:PASSWORD@HOST/..."
        case .httpStatus(_, 404): "Check the URL."
        case .noVersion: "Change the version requirement, or the architecture."
        case .notInAnyCatalogue(let name, _):
            BoxAdvice.text(for: name) + "\nOr name your catalogues in WANDER_CATALOGUES: wander help box add"
        case .cataloguesUnreachable(let name, _):
            "Check this host's network, its DNS and https_proxy, then run the command again.\n"
                + "Without a network: " + BoxAdvice.lines(for: name).joined(separator: " && ")
        case .lockedDigest:
            "If the box was meant to change: wander box update. If not, remove it (wander box remove) and get it from a source "
                + "that you trust."
        case .differentBox(_, let path):
            "Give the new box another version, or replace the stored one: wander box add --force \(path)"
        case .notLocked, .lockWouldChange: "Run the command without --locked, look at Wanderfile.lock, and commit it."
        case .checksumUnknown: "Add the box again with --force, so that the checksum is compared, or state its sha256."
        case .invalidLock: "Restore the file from version control, or delete it: the next 'wander up' writes a new one."
        case .noCatalogueRecorded(let box):
            "Add the newer version by its file or URL: wander box add --name \(box.name) FILE_OR_URL"
        default: nil
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .downloadFailed, .httpStatus, .tooLarge, .notInAnyCatalogue, .cataloguesUnreachable: .network
        case .downloaderMissing: .hostNotAble
        case .lockedDigest, .checksumUnknown, .differentBox: .digestMismatch
        case .noSuchFile, .noVersion: .notFound
        case .invalidLocation: .usage
        case .notLocked, .lockWouldChange, .unwantedVersion, .unwantedArchitecture: .wrongState
        case .invalidLock: .invalidConfiguration
        default: .failure
        }
    }

    /// Whether a catalogue said by this that it does not have a box. All else leaves that open.
    var isAnswer: Bool {
        switch self {
        case .httpStatus(_, let status): [404, 410].contains(status)
        case .noSuchFile, .notACatalogue: true
        default: false
        }
    }

    private static func name(of status: Int) -> String {
        let names = [401: "not logged in", 403: "not allowed", 404: "not found", 410: "gone", 429: "too many requests"]
        return names[status].map { " (\($0))" } ?? ""
    }
}
