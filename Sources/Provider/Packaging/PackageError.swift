public import Reporting
public import SystemPackage

/// Why a machine was not packaged.
public enum PackageError: UserFacingError, Equatable {
    case outputIsFolder(FilePath)
    /// Such as a device.
    case outputIsNoFile(FilePath)
    case outputInState(FilePath)
    case outputIncluded(FilePath)
    case missingInclude(FilePath)
    case missingImage(FilePath)
    case includesState(FilePath)
    case notAFile(FilePath)
    case includeLoop(FilePath)
    case includeNotAFile(FilePath)
    case twoIncludes(String)
    case wrongInfo(FilePath)
    /// The box boots only by its boot loader, which wander cannot tell what to run, and its guest has not handed out a
    /// kernel.
    case noKernel(machine: String, reason: String?)
    /// A look at what would be done stops nothing.
    case previewOfRunning(machine: String)
    /// The disk of a running machine would not be consistent.
    case cannotFreeze(machine: String, reason: String)
    /// Values that sensitive steps get stand on the disk.
    case holdsSecrets(machine: String, count: Int)
    /// The guest that resets a machine's identity sees one disk.
    case identityOnSeveralDisks(machine: String)
    /// What a thin box holds is the changes of one disk.
    case thinOfSeveralDisks(machine: String)
    case preparationFailed(machine: String, reason: String, console: String)

    public var summary: String {
        switch self {
        case .outputIsFolder(let path): "\(path) is a folder"
        case .outputIsNoFile(let path): "\(path) is not a regular file and will not be replaced"
        case .outputInState(let path): "\(path) is in the folder in which wander keeps machines and removes files"
        case .outputIncluded(let path): "\(path) is among the files that it is to include"
        case .includesState(let path): "\(path) is in the folder in which machines have their disks and private keys"
        case .notAFile(let path): "\(path) is a folder where a file is wanted"
        case .missingInclude(let path): "there is no \(path), which the box is to include"
        case .missingImage(let path): "there is no disk image \(path)"
        case .includeLoop(let path): "\(path) leads back to a folder that it is in"
        case .includeNotAFile(let path): "\(path) is neither a file nor a folder"
        case .twoIncludes(let name): "two files would be '\(name)' in the box"
        case .wrongInfo(let path): "\(path) is not called info.json"
        case .noKernel(let machine, let reason):
            "the box of \(machine) boots by its own boot loader, and its guest has not handed out a kernel to reset its "
                + "identity by" + (reason.map { ": \($0)" } ?? "")
        case .previewOfRunning(let machine): "\(machine) is running, and a dry run does not stop it"
        case .cannotFreeze(let machine, let reason):
            "\(machine) cannot be packaged while it runs: \(reason)"
        case .holdsSecrets(let machine, let count):
            "the disk of \(machine) holds \(count) of the values that sensitive provisioners get"
        case .identityOnSeveralDisks(let machine):
            "\(machine) has more than one disk, and only on the first can its keys and secrets be reset"
        case .thinOfSeveralDisks(let machine): "\(machine) has more than one disk, and a thin box has one"
        case .preparationFailed(let machine, let reason, _):
            "the copy of \(machine)'s disk could not be prepared: \(reason)"
        }
    }

    public var detail: String? {
        guard case .preparationFailed(_, _, let console) = self, !console.isEmpty else { return nil }
        return "Last lines of the console:\n\(console)"
    }

    public var remedy: String? {
        switch self {
        case .outputIsFolder(let path): "Name a file: --output \(path)/package.box"
        case .outputIsNoFile, .outputInState: "Name another file with --output."
        case .outputIncluded: "Write the box elsewhere, or include less."
        case .includesState: "Copy what the box needs to another place."
        case .includeLoop: "Remove the link, or include less."
        case .twoIncludes: "Rename one of them."
        case .wrongInfo: "Rename it: catalogues look for info.json."
        case .noKernel(let machine, nil): "Start it first, and package it while it runs: wander up \(machine)"
        case .noKernel: "wander package --keep-identity, and give the box to nobody who must not be this machine"
        case .previewOfRunning(let machine): "wander halt \(machine)"
        case .cannotFreeze: "Leave --live out: the machine is stopped, packaged, and can be started again."
        case .holdsSecrets:
            "Remove them from the guest's files, or pack them into the box with --allow-secrets."
        case .identityOnSeveralDisks:
            "wander package --keep-identity, and give the box to nobody who must not be this machine"
        case .thinOfSeveralDisks: "Leave --thin out."
        case .preparationFailed:
            """
            The machine itself is as it was: run the command again. If the guest's system cannot do it at all, '--keep-identity' \
            packages the disk as it is, secrets and all.
            """
        default: nil
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .missingInclude, .missingImage: .notFound
        case .outputIsFolder, .outputIsNoFile, .outputInState, .outputIncluded, .includesState, .notAFile, .wrongInfo,
            .twoIncludes, .includeNotAFile, .includeLoop:
            .usage
        case .noKernel, .holdsSecrets, .cannotFreeze, .thinOfSeveralDisks, .identityOnSeveralDisks: .refused
        case .previewOfRunning: .wrongState
        case .preparationFailed: .failure
        }
    }
}
