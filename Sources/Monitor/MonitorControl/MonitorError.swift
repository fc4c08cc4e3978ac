public import LinuxSystem
public import Reporting

/// Why a monitor did not do what it was asked to do.
public enum MonitorError: UserFacingError, Equatable {
    /// Nobody listens, or the connection broke: the machine has most likely ended.
    case unreachable(SystemError)
    /// It closed the connection before it answered.
    case closed
    /// It did not answer in time.
    case silent
    case malformedReply
    case refused(String)

    public var summary: String {
        switch self {
        case .unreachable(let error): "the machine's monitor cannot be reached: \(error.errno)"
        case .closed: "the machine's monitor ended before it answered"
        case .silent: "the machine's monitor does not answer"
        case .malformedReply: "the machine's monitor gave a reply that is not of this version"
        case .refused(let reason): "the machine's monitor refused: \(reason)"
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .silent: .timeout
        case .refused: .wrongState
        default: .failure
        }
    }

    public var cause: (any Error)? { if case .unreachable(let error) = self { error } else { nil } }
}
