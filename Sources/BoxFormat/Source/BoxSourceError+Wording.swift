internal import Digest
public import Reporting
internal import SystemPackage

extension BoxSourceError {
    public var summary: String {
        switch self {
        case .invalidLocation(let text): "'\(text.utf8.shown)' is neither a file nor a URL that wander can fetch"
        case .noSuchFile(let path): "there is no file \(path)"
        case .downloaderMissing: "curl is not installed, so nothing can be downloaded"
        case .downloadFailed(let url, let reason, _): "cannot download \(url): \(reason)"
        case .unusableDownload(let url, .unreadable(_, let reason)): "cannot read what \(url) sent: \(reason)"
        case .unusableDownload(let url, .notAnArchive): "what \(url) sent is neither a box archive nor a disk image"
        case .unusableDownload(let url, let problem): "\(url) sent no usable box: \(problem.summary)"
        case .httpStatus(let url, let status):
            "cannot download \(url): the server answered \(status)\(Self.name(of: status))"
        case .tooLarge(let url, let limit): "\(url) is larger than \(limit)"
        case .invalidCatalogue(let place, let reason): "the catalogue \(place) is not valid: \(reason)"
        case .catalogueName(let found, let wanted):
            "the catalogue is for the box '\(found.utf8.shown)', not '\(wanted)'"
        case .noVersion(let name, let requirement, let architecture, _):
            "no version of '\(name)' satisfies '\(requirement)' for \(architecture)"
        case .notInAnyCatalogue(let name, _, _): "no catalogue has the box '\(name)'"
        case .cataloguesUnreachable(let name, let attempts, _):
            "cannot ask \(attempts.count == 1 ? "the catalogue" : "every catalogue") for the box '\(name)'"
        case .notACatalogue(let place): "\(place) is not a catalogue"
        case .invalidImages(let diagnostics):
            "the catalogue of images \(diagnostics.first?.location?.file ?? "") is not valid"
        case .unknownMirror(let word, let image): "no catalogue says where the mirror '\(word)' of '\(image)' is"
        case .invalidMirror(let variable, let text):
            "'\(text.utf8.shown)', of \(variable), is neither a folder nor a URL that wander can fetch"
        case .imageUnreachable(let found, let error): "cannot get the image '\(found.image.name)': \(error.summary)"
        case .noChecksum(let found):
            "\(found.checksums.shown) has no checksum of \(found.image.fileName) in the form \(found.image.form.rawValue)"
        case .imageMismatch(let found, _, _):
            "\(found.location.shown) is not the image that \(found.checksums.shown) describes"
        case .imageReplaced(let box, _, _):
            "the publisher has replaced the image \(box) that Wanderfile.lock records"
        case .unwantedVersion(let box, let requirement): "the box is \(box), which does not satisfy '\(requirement)'"
        case .unwantedArchitecture(let box, let wanted): "the box is \(box), but \(wanted) is wanted"
        case .lockedElsewhere(let box, let source):
            "the box \(box) that Wanderfile.lock records is not in the store; it came from \(source)"
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
        case .notInAnyCatalogue(_, let attempts, _), .cataloguesUnreachable(_, let attempts, _):
            attempts.isEmpty ? nil : attempts.joined(separator: "\n")
        case .invalidImages(let diagnostics): diagnostics.map(\.rendered).joined(separator: "\n")
        case .imageMismatch(_, let expected, let actual):
            "expected: \(expected)\nactual:   \(expected.algorithm.rawValue):\(actual)"
        case .imageReplaced(_, let locked, let published): "locked: \(locked)\npublished now: \(published)"
        case .unusableDownload(_, let problem): problem.detail
        case .lockedDigest(_, let locked, let actual): "locked: \(locked)\nactual: \(actual)"
        default: nil
        }
    }

    public var remedy: String? {
        switch self {
        case .invalidLocation: "Give a path, or a URL that starts with https://, http:// or file://."
        case .downloaderMissing: "Install curl, or download the box yourself and add the file: wander box add FILE"
        case .downloadFailed(_, _, resumes: true):
            "Try again: what has arrived is kept, and the download continues from there."
        case .downloadFailed:
            "Check this host's network, its DNS and https_proxy, then try again. The download starts over: either nothing "
                + "arrived, or the server does not say by which mark (ETag, Last-Modified) it could go on."
        case .unusableDownload(_, .notAnArchive), .unusableDownload(_, .unreadable):
            "Check the URL: a server, or a proxy on the way, may have sent a page that says what is wrong."
        case .unusableDownload(_, let problem): problem.remedy
        case .unknownMirror(let word, _):
            "Say where it is, by 'mirrors:' in the catalogue or \(ImageCatalogues.variableName(of: word))."
        case .invalidMirror(let variable, _):
            "Give a folder, or a URL that starts with https:// or http://; or unset \(variable)."
        case .imageUnreachable(let found, let error): Self.withoutNetwork(found, error)
        case .noChecksum(let found):
            "Nothing is taken unverified. If the publisher has changed its files, give the entry anew: "
                + "wander help box search\nThis one is \(found.origin.shown)."
        case .imageMismatch:
            "Do not use this file. A mirror may be half-way through an update: try again later, or use another one (wander "
                + "help box search)."
        case .imageReplaced(let box, _, _):
            "Move on to the new one: wander box update\nOr keep the old one: get the disk image from somebody whose store "
                + "has it ('wander box show \(box.name)' says where), then: wander box add \(box.name) FILE"
        case .httpStatus(_, 401), .httpStatus(_, 403):
            "Put your credentials for that server into ~/.netrc, or into the URL as https://USER:PASSWORD@HOST/..."
        case .httpStatus(_, 404): "Check the URL."
        case .noVersion: "Change the version requirement, or the architecture."
        case .notInAnyCatalogue(let name, _, let near):
            Self.meant(near) + BoxAdvice.text(for: name)
                + "\n'wander box search' lists the names that there are, and their catalogues."
        case .cataloguesUnreachable(let name, _, let near):
            Self.meant(near) + "Check this host's network, its DNS and https_proxy, then run the command again.\n"
                + "Without a network: " + BoxAdvice.lines(for: name).joined(separator: " && ")
        case .lockedElsewhere(let box, let source):
            "Add it from there: "
                + (source.hasPrefix("wander ") ? source : "wander box add --name \(box.name) FILE")
                + "\nOr take the image that its name means today: wander box update"
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
        case .downloadFailed, .httpStatus, .tooLarge, .notInAnyCatalogue, .cataloguesUnreachable, .noChecksum: .network
        case .imageUnreachable(_, let error): error.kind
        case .unusableDownload(_, let problem): problem.kind
        case .downloaderMissing: .hostNotAble
        case .lockedDigest, .checksumUnknown, .differentBox, .imageMismatch, .imageReplaced: .digestMismatch
        case .noSuchFile, .noVersion, .lockedElsewhere: .notFound
        case .invalidLocation: .usage
        case .notLocked, .lockWouldChange, .unwantedVersion, .unwantedArchitecture: .wrongState
        case .invalidLock, .invalidImages, .unknownMirror, .invalidMirror: .invalidConfiguration
        default: .failure
        }
    }

    private static func meant(_ near: [String]) -> String {
        near.isEmpty ? "" : "Did you mean \(near.joined(separator: ", "))?\n"
    }

    /// Which file to get where there is a network, and what adds it here.
    private static func withoutNetwork(_ found: ImageCatalogues.Found, _ error: BoxSourceError) -> String {
        let image = found.image
        var lines: [String] = []
        if case .httpStatus = error {
            lines.append(
                "The publisher may have moved it: this entry is \(found.origin.shown) (wander help box search).")
        } else {
            lines.append("Check this host's network, its DNS and https_proxy, then run the command again.")
        }
        if let mirror = image.mirror {
            lines.append("Or use a mirror: \(ImageCatalogues.variableName(of: mirror))=URL_OR_FOLDER")
        }
        lines.append("Or get this file on another host: \(found.location.shown)")
        lines.append("compare it with \(found.checksums.shown),")
        lines.append("and add it here: wander box add \(image.name) \(image.fileName)")
        return lines.joined(separator: "\n")
    }

    private static func name(of status: Int) -> String {
        let names = [401: "not logged in", 403: "not allowed", 404: "not found", 410: "gone", 429: "too many requests"]
        return names[status].map { " (\($0))" } ?? ""
    }
}
