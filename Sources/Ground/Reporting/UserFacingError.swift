/// What kind of failure an error is. The command line turns it into the exit status, and nothing else depends on it.
public enum ErrorKind: String, Sendable, CaseIterable {
    case failure
    case invalidConfiguration = "invalid-configuration"
    case notFound = "not-found"
    case wrongState = "wrong-state"
    case hostNotAble = "host-not-able"
    case network
    case digestMismatch = "digest-mismatch"
    case timeout
    case provisioningFailed = "provisioning-failed"
    case refused
    case incomplete
    case hookFailed = "hook-failed"
    case usage
    case interrupted

    /// The process's exit status for this kind. Part of the command line's contract.
    public var exitStatus: Int32 {
        switch self {
        case .failure: 1
        case .invalidConfiguration: 2
        case .notFound: 3
        case .wrongState: 4
        case .hostNotAble: 5
        case .network: 6
        case .digestMismatch: 7
        case .timeout: 8
        case .provisioningFailed: 9
        case .refused: 10
        case .incomplete: 12
        case .hookFailed: 13
        case .usage: 64
        case .interrupted: 130
        }
    }
}

/// An error made for the person who reads it: what happened, to what, and what to do next.
///
/// Cases carry facts, not sentences, so that tests compare values and one place words them. Only the command line
/// prints.
public protocol UserFacingError: Error, Sendable {
    /// What happened and to what, in one line without a full stop at its end; starts in lower case.
    var summary: String { get }
    /// More facts, any number of lines: the offending text, the last lines of a log.
    var detail: String? { get }
    /// What to do next, best a command to type.
    var remedy: String? { get }
    var kind: ErrorKind { get }
    /// The error that led to this one; shown by `--debug`.
    var cause: (any Error)? { get }
}

extension UserFacingError {
    public var detail: String? { nil }
    public var remedy: String? { nil }
    public var kind: ErrorKind { .failure }
    public var cause: (any Error)? { nil }
}

extension Error {
    /// The error in one line for people, whatever kind of error it is.
    public var inWords: String { (self as? any UserFacingError)?.summary ?? "\(self)" }
}
