internal import Digest
public import Reporting
internal import SystemPackage

extension BoxError {
    public var summary: String {
        switch self {
        case .invalidName(let text): "'\(text.utf8.shown)' is not a valid box name"
        case .invalidVersion(let text): "'\(text.utf8.shown)' is not a valid version"
        case .invalidRequirement(let text): "'\(text.utf8.shown)' is not a valid version requirement"
        case .invalidArchitecture(let text): "'\(text.utf8.shown)' is no architecture"
        case .nameRequired(let path): "\(path) does not say what the box is called"
        case .notAnArchive(let path): "\(path) is neither a box archive nor a disk image"
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .forbiddenEntry(let name, let problem): "the box has an entry '\(name)' \(problem.wording)"
        case .tooMuchData(let limit, let what): "the box holds more than \(limit) of \(what)"
        case .tooManyEntries(let limit): "the box holds more than \(limit) files"
        case .missingMetadata: "the archive has neither a metadata.json nor a disk image, so it is no box"
        case .severalImages(let files): "the archive has no metadata.json, and \(files.count) disk images"
        case .converterMissing(let format):
            "this is a \(format.uppercased()) image, and qemu-img, which converts those, is not installed"
        case .packedForeignImage(let format): "this is a packed \(format.uppercased()) image"
        case .invalidMetadata(let reason): "the box's metadata.json is not valid: \(reason)"
        case .wrongProvider(let provider): "the box is made for the provider '\(provider.utf8.shown)'"
        case .missingFile(let file, let place): "the box has no file '\(file.utf8.shown)', which its \(place) names"
        case .fileDigestMismatch(let file, _, _): "'\(file)' is not the file that the box's metadata.json describes"
        case .checksumMismatch(let algorithm, _, _):
            "the \(algorithm.rawValue) checksum of the box is not the expected one"
        case .invalidChecksum(let text): "'\(text.utf8.shown)' is no checksum"
        case .invalidDisk(let file, let problem): "the disk image '\(file.utf8.shown)' \(problem.wording)"
        case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
        case .outOfMemory: "not enough memory"
        case .alreadyPresent(let box): "the box \(box) is already there"
        case .notFound(let what, _): "there is no box \(what)"
        case .ambiguous(let what, _): "several boxes match \(what)"
        case .inUse(let box, _): "the box \(box) is in use"
        case .corruptRecord(let path, let reason): "\(path) is damaged: \(reason)"
        case .damagedUse(let path): "\(path), which says which box a machine uses, is damaged"
        case .unreadableRecord(let path, let reason): "cannot read \(path): \(reason)"
        case .damaged(let box, _): "the stored box \(box) is damaged"
        case .outputExists(let path): "\(path) already exists"
        case .parentMissing(let parent):
            "the box holds only what differs from \(parent.identity), which is not in the store"
        }
    }

    public var detail: String? {
        switch self {
        case .fileDigestMismatch(_, let stated, let actual): "stated: \(stated)\nactual: \(actual)"
        case .checksumMismatch(_, let expected, let actual): "expected: \(expected.utf8.shown)\nactual:   \(actual)"
        case .notFound(_, let installed) where !installed.isEmpty: "There are: " + installed.joined(separator: ", ")
        case .ambiguous(_, let candidates): candidates.joined(separator: "\n")
        case .inUse(_, let machines): machines.joined(separator: "\n")
        case .severalImages(let files): files.joined(separator: "\n")
        case .damaged(_, let files): files.joined(separator: "\n")
        case .invalidDisk(_, .backingFile(let name)): "The image says that it continues in '\(name)'."
        case .parentMissing(let parent): "It must be exactly \(parent.digest)."
        default: nil
        }
    }

    public var remedy: String? {
        switch self {
        case .invalidName: "Use letters, digits and ._+~- in parts joined by '/', such as 'team/debian'."
        case .invalidVersion: "Use numbers joined by dots, such as '1.2.0'."
        case .invalidRequirement: "Use conditions such as '>= 1.2, < 2' or '~> 1.2'."
        case .invalidArchitecture: "Use a name such as amd64 or arm64."
        case .nameRequired: "Give the name: wander box add --name NAME FILE"
        case .notAnArchive, .missingMetadata:
            "A box is a tar archive (plain or packed with zstd, gzip, xz or bzip2) with a metadata.json and a disk image; "
                + "a disk image is added by: wander box add --name NAME IMAGE"
        case .severalImages: "Unpack it, and add the image that you mean: wander box add --name NAME IMAGE"
        case .converterMissing: "Install it: apt-get install qemu-utils (in other distributions: qemu-img)."
        case .packedForeignImage: "Unpack it first, and add the image: wander box add --name NAME IMAGE"
        case .unreadable: "The file may be cut short: get it again."
        case .wrongProvider: "wander runs boxes made for the provider 'libvirt' or 'qemu'."
        case .fileDigestMismatch, .checksumMismatch:
            "Do not use this file. Get it again from a source that you trust; if it is meant to have changed, ask whoever "
                + "publishes it for the new checksum."
        case .invalidChecksum:
            "Give the hexadecimal digits that the publisher states, for md5, sha1, sha256, sha384 or sha512."
        case .invalidDisk(_, .backingFile), .invalidDisk(_, .externalData):
            "Make it stand alone: qemu-img convert -O qcow2 OLD NEW"
        case .alreadyPresent: "Use it as it is, or replace it with --force."
        case .notFound: "wander box list shows the boxes that are there."
        case .ambiguous: "Choose one by --box-version and --architecture."
        case .inUse:
            "Destroy these machines first. Those that are not found and will not come back are forgotten by: "
                + "wander box prune --forget-missing"
        case .damagedUse(let path): "Remove it, and start each machine once that is to keep its box: rm \(path)"
        case .unreadableRecord: "Look at the file system that the box store is on; the box may be whole."
        case .damaged(let box, _): addAgain(box)
        case .corruptRecord(let path, _): addAgain(BoxStore.identity(of: path.removingLastComponent()))
        case .parentMissing(let parent):
            "Add it first: wander box add \(parent.source ?? "FILE")"
                + (parent.source == nil ? ", from whoever gave you this box" : "")
        case .outputExists: "Choose another name by --output, or replace it by --force."
        default: nil
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .checksumMismatch, .fileDigestMismatch, .damaged: .digestMismatch
        case .notFound, .parentMissing: .notFound
        case .alreadyPresent, .inUse, .outputExists, .ambiguous: .wrongState
        case .invalidName, .invalidVersion, .invalidRequirement, .invalidArchitecture, .nameRequired, .invalidChecksum:
            .usage
        case .outOfMemory, .converterMissing: .hostNotAble
        case .forbiddenEntry, .tooMuchData, .tooManyEntries, .invalidDisk: .refused
        default: .failure
        }
    }
}

/// The very same disk may replace a damaged one under its machines. Removing the box first would break them.
private func addAgain(_ box: BoxIdentity?) -> String {
    let name = box.map { "\($0.name) --box-version \($0.version)" } ?? "NAME"
    return "Add the same box again, from where it came: wander box add --force FILE, or wander box add --force \(name)"
}

extension BoxError.EntryProblem {
    var wording: String {
        switch self {
        case .absolutePath: "with an absolute path"
        case .parentFolder: "that leads out of the box ('..')"
        case .notUTF8: "whose name is not UTF-8"
        case .unprintable: "whose name has control characters or a backslash"
        case .tooLong: "whose name is too long"
        case .duplicate: "twice (or twice but for upper and lower case)"
        case .link: "that is a link; boxes hold plain files and folders"
        case .device: "that is a device, pipe or socket; boxes hold plain files and folders"
        case .setUserIdentifier: "with a set-user-id or set-group-id bit"
        case .noSize: "without a size"
        case .tooLarge(let limit): "larger than \(limit)"
        case .lyingSparseMap: "whose map of holes does not fit its size"
        }
    }
}

extension BoxError.DiskProblem {
    var wording: String {
        switch self {
        case .unknownFormat(let format): "has the format '\(format.utf8.shown)'; wander takes qcow2 and raw"
        case .notQcow2: "is not the qcow2 image that it is said to be"
        case .isQcow2: "is said to be raw but is a qcow2 image"
        case .backingFile: "needs another image"
        case .externalData: "keeps its data in another file"
        case .unsupportedVersion(let version): "is qcow2 of version \(version); wander takes 2 and 3"
        case .truncated: "is cut short"
        case .damaged(let count):
            "is cut short or damaged: \(counted(count, "entry", "entries")) of its tables lead nowhere"
        case .size(let bytes): "has a size of \(bytes) bytes, which no machine can use"
        }
    }
}
