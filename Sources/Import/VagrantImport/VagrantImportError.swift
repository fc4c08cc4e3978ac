public import LinuxSystem
public import Reporting
public import SystemPackage

/// Why nothing was imported.
public enum VagrantImportError: UserFacingError, Equatable {
    case missing(FilePath)
    case unreadable(SystemError)
    /// No machine in it is one that wander could run.
    case nothing(FilePath, [ImportRemark])
    /// What came of it is not a valid Wanderfile, which is a fault of wander's.
    case invalid(detail: String)

    public var summary: String {
        switch self {
        case .missing(let path): "there is no file \(path)"
        case .unreadable(let error): error.summary
        case .nothing(let path, _): "\(path) has no machine that wander can run"
        case .invalid: "what came of the Vagrantfile is not a valid Wanderfile"
        }
    }

    public var detail: String? {
        switch self {
        case .nothing(_, let remarks):
            remarks.map { "\($0.line > 0 ? "line \($0.line): " : "")\($0.subject): \($0.text)" }.joined(separator: "\n")
        case .invalid(let detail): detail
        case .missing, .unreadable: nil
        }
    }

    public var remedy: String? {
        switch self {
        case .missing: "Name the Vagrantfile: 'wander import FILE'."
        case .unreadable(let error): error.remedy
        case .nothing: "'wander init BOX' writes a Wanderfile to begin with."
        case .invalid: "'wander import --output -' prints it. Please report it with the lines that are meant."
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .missing: .notFound
        case .unreadable(let error): error.kind
        case .nothing: .incomplete
        case .invalid: .failure
        }
    }
}
