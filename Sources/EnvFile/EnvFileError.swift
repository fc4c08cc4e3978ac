public import LinuxSystem
public import Reporting
public import SystemPackage

/// Why there is no environment.
public enum EnvFileError: UserFacingError, Equatable {
    /// No Wanderfile in `start` or any folder above it. There may be a Vagrantfile.
    case notFound(start: FilePath, vagrantfile: FilePath? = nil)
    /// A folder that may hold a Wanderfile cannot be looked at.
    case notReadable(SystemError)
    /// The file that the user named is not there.
    case missing(FilePath)
    /// Two files of one folder that could both be meant.
    case ambiguous([String], folder: FilePath)
    /// Everything that is wrong with the files. `unreported` more problems were counted but not kept.
    case invalid([Diagnostic], unreported: Int)
    /// `wander init` does not overwrite.
    case exists(FilePath)

    public var diagnostics: [Diagnostic] { if case .invalid(let diagnostics, _) = self { diagnostics } else { [] } }

    public var summary: String {
        switch self {
        case .notFound(let start, _): return "there is no Wanderfile in \(start) or in a folder above it"
        case .notReadable(let error): return error.summary
        case .missing(let path): return "there is no file \(path)"
        case .ambiguous(let names, let folder): return "\(folder) holds both \(names.joined(separator: " and "))"
        case .invalid(let diagnostics, let unreported):
            let count = diagnostics.count { $0.severity == .error } + unreported
            return count == 1 ? "the environment has a problem" : "the environment has \(count) problems"
        case .exists(let path): return "\(path) is already there"
        }
    }

    public var detail: String? {
        guard case .invalid(let diagnostics, let unreported) = self else { return nil }
        let rest = unreported == 0 ? [] : ["... and \(unreported) more"]
        return (diagnostics.map(\.rendered) + rest).joined(separator: "\n")
    }

    public var remedy: String? {
        switch self {
        case .notFound(let start, let vagrantfile?):
            "There is a Vagrantfile. Make a Wanderfile of it: "
                + (vagrantfile.removingLastComponent() == start.lexicallyNormalized()
                    ? "wander import" : "cd \(vagrantfile.removingLastComponent()) && wander import")
        case .notFound(_, nil):
            "Write one with 'wander init BOX', or name one with '-f FILE'.\n"
                + "'wander status --all' lists the environments that you have."
        case .notReadable(let error): error.remedy ?? "Name the Wanderfile that you mean with '-f FILE'."
        case .missing: "Check the name after '-f', '--file' or in WANDER_FILE."
        case .ambiguous: "Keep one of them, or name the one that you mean with '-f FILE'."
        case .exists: "Use '--force' to overwrite it, or '--output FILE' to write another file."
        case .invalid: nil
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .notFound, .missing: .notFound
        case .notReadable(let error): error.kind
        case .exists: .refused
        case .ambiguous, .invalid: .invalidConfiguration
        }
    }
}
