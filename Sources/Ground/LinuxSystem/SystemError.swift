public import Reporting
public import SystemPackage

/// A system call that failed: which, on what, and why.
public struct SystemError: UserFacingError, Equatable {
    /// What was attempted, worded for people: `open`, `lock`, `connect to`.
    public var operation: String
    public var path: FilePath?
    public var errno: Errno

    public init(_ operation: String, _ path: FilePath? = nil, _ errno: Errno) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }

    public var summary: String {
        let subject = path.map { " \($0)" } ?? ""
        return "cannot \(operation)\(subject): \(errno)"
    }

    public var remedy: String? {
        switch errno {
        case .noSpace, .diskQuotaExceeded: "Free some space on that file system, then run the command again."
        case .permissionDenied, .notPermitted: "Check the owner and permissions of that path."
        case .readOnlyFileSystem: "The file system is mounted read-only; use another folder."
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem: "Raise the limit of open files (ulimit -n)."
        default: nil
        }
    }

    public var kind: ErrorKind {
        switch errno {
        case .noSpace, .diskQuotaExceeded, .noMemory, .tooManyOpenFiles, .tooManyOpenFilesInSystem: .hostNotAble
        case .permissionDenied, .notPermitted, .readOnlyFileSystem: .hostNotAble
        default: .failure
        }
    }
}

/// Turns the result of a C wrapper that returns `-errno` into a value or an error.
func checked(_ result: Int, _ operation: String, _ path: FilePath? = nil) throws(SystemError) -> Int {
    guard result < 0 else { return result }
    throw SystemError(operation, path, Errno(rawValue: CInt(truncatingIfNeeded: -result)))
}

/// As ``checked(_:_:_:)``, repeating the call when a signal interrupts it.
func retrying(_ operation: String, _ path: FilePath? = nil, _ call: () -> Int) throws(SystemError) -> Int {
    while true {
        let result = call()
        if result != -Int(Errno.interrupted.rawValue) { return try checked(result, operation, path) }
    }
}
