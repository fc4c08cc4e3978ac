public import Reporting
public import SystemPackage

/// Why a machine was not packaged.
public enum PackageError: UserFacingError, Equatable {
    case outputIsFolder(FilePath)
    case missingInclude(FilePath)
    case includeLoop(FilePath)
    case includeNotAFile(FilePath)
    case twoIncludes(String)
    case wrongInfo(FilePath)
    /// The box boots only by its boot loader, which wander cannot tell what to run.
    case noKernel(machine: String)
    /// The disk of a running machine would not be consistent.
    case cannotFreeze(machine: String, reason: String)
    /// Values that sensitive steps get stand on the disk.
    case holdsSecrets(machine: String, count: Int)
    case preparationFailed(machine: String, reason: String, console: String)

    public var summary: String {
        switch self {
        case .outputIsFolder(let path): "\(path) is a folder"
        case .missingInclude(let path): "there is no \(path), which the box is to include"
        case .includeLoop(let path): "\(path) leads back to a folder that it is in"
        case .includeNotAFile(let path): "\(path) is neither a file nor a folder"
        case .twoIncludes(let name): "two files would be '\(name)' in the box"
        case .wrongInfo(let path): "\(path) is not called info.json"
        case .noKernel(let machine):
            "the box of \(machine) boots by its own boot loader, so its identity cannot be reset without starting it"
        case .cannotFreeze(let machine, let reason):
            "\(machine) cannot be packaged while it runs: \(reason)"
        case .holdsSecrets(let machine, let count):
            "the disk of \(machine) holds \(count) of the values that sensitive provisioners get"
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
        case .includeLoop: "Remove the link, or include less."
        case .twoIncludes: "Rename one of them."
        case .wrongInfo: "Rename it: catalogues look for info.json."
        case .noKernel: "wander package --keep-identity, and give the box to nobody who must not be this machine"
        case .cannotFreeze: "Leave --live out: the machine is stopped, packaged, and can be started again."
        case .holdsSecrets:
            "Remove them from the guest's files, or pack them into the box with --allow-secrets."
        case .preparationFailed:
            "The machine itself is as it was. '--keep-identity' packages the disk as it is, secrets and all."
        default: nil
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .missingInclude: .notFound
        case .outputIsFolder, .wrongInfo, .twoIncludes, .includeNotAFile, .includeLoop: .usage
        case .noKernel, .holdsSecrets, .cannotFreeze: .refused
        case .preparationFailed: .failure
        }
    }
}
