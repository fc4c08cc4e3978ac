public import LinuxSystem
public import Reporting
public import SSH
import SystemPackage

/// Why a machine is not provisioned or not ready.
public enum ProvisioningError: UserFacingError, Equatable {
    /// A script ended with a status other than 0. The last lines are empty for a sensitive step.
    case stepFailed(step: String, status: Int32, signal: String?, lastLines: [String])
    case stepTimedOut(step: String, milliseconds: Int64, lastLines: [String])
    /// The connection or the guest, not the step, is at fault.
    case stepBroke(step: String, error: SSHError)
    /// The connection was lost while a script ran.
    case stepLostGuest(step: String, error: SSHError)
    /// The guest went down in a step that may restart it, and did not come back.
    case notRestarted(step: String, reason: String)
    /// The host could not begin to do its part.
    case hostFailed(step: String, reason: String, remedy: String?, kind: ErrorKind)
    case unreadable(step: String, error: SystemError)
    case unknownSelection(String, known: [String])
    case notReady(probe: String, milliseconds: Int64, lastMessage: String, hint: String?)
    case invalidURL(probe: String, url: String)
    case broken(SSHError)

    public var summary: String {
        if let (step, path) = escape {
            return "provisioning step '\(step)': \(path) leads out of a folder that the guest may write to"
        }
        return switch self {
        case .stepFailed(let step, _, let signal?, _): "provisioning step '\(step)' was ended by signal \(signal)"
        case .stepFailed(let step, let status, nil, _): "provisioning step '\(step)' failed with exit status \(status)"
        case .stepTimedOut(let step, let limit, _):
            "provisioning step '\(step)' did not end within \(Self.seconds(limit))"
        case .stepBroke(let step, .interrupted): "interrupted in provisioning step '\(step)'"
        case .stepBroke(let step, let error): "provisioning step '\(step)' could not be carried out: \(error.summary)"
        case .stepLostGuest(let step, let error):
            "the guest was lost while provisioning step '\(step)' ran: \(error.summary)"
        case .notRestarted(let step, let reason):
            "the guest did not come back after provisioning step '\(step)': \(reason)"
        case .unreadable(let step, let error) where error.errno == .invalidArgument && error.path != nil:
            "provisioning step '\(step)': \(error.path ?? "") is neither a file nor a folder"
        case .unreadable(let step, let error): "provisioning step '\(step)': \(error.summary)"
        case .hostFailed(let step, let reason, _, _): "provisioning step '\(step)': \(reason)"
        case .unknownSelection(let word, _): "there is no provisioning step called '\(word)', and no step of that type"
        case .notReady(let probe, let limit, _, _):
            "the machine is not ready after \(Self.seconds(limit)): '\(probe)' fails"
        case .invalidURL(let probe, let url): "ready probe '\(probe)': '\(url)' is not an http or https address"
        case .broken(let error): error.summary
        }
    }

    public var detail: String? {
        switch self {
        case .stepFailed(_, _, _, let lines), .stepTimedOut(_, _, let lines):
            lines.isEmpty ? nil : "its last output:\n" + lines.map { "  \($0)" }.joined(separator: "\n")
        case .stepBroke(_, let error), .broken(let error), .stepLostGuest(_, let error): error.detail
        case .unknownSelection(_, let known): known.isEmpty ? nil : "steps: \(known.joined(separator: ", "))"
        case .notReady(_, _, let message, _): message.isEmpty ? nil : "last answer: \(message)"
        default: nil
        }
    }

    /// The step, and what it was to send to the guest, which a link puts elsewhere.
    private var escape: (step: String, path: FilePath)? {
        switch self {
        case .unreadable(let step, let error), .stepBroke(let step, .system(let error)):
            error.errno == .improperLink ? error.path.map { (step, $0) } : nil
        default: nil
        }
    }

    public var remedy: String? {
        if escape != nil {
            return "A guest may have put the link there. If it is yours, name in the Wanderfile what it leads to."
        }
        return switch self {
        case .stepFailed, .stepTimedOut:
            "The machine is left as it is. Look at it with 'wander ssh', then run 'wander provision' again; "
                + "it continues with this step."
        case .stepBroke(let step, .interrupted):
            "'\(step)' was cut off and runs again at the next 'wander up'. What it had begun may need repair first, such as "
                + "'sudo dpkg --configure -a' in 'wander ssh'."
        case .stepLostGuest(let step, _):
            "If '\(step)' restarts the machine, say so in its step: 'reboot: true'. If not, see 'wander logs --console'."
        case .notRestarted: "See what it does: wander console. Then 'wander up' continues."
        case .stepBroke(_, let error), .broken(let error): error.remedy
        case .unreadable(_, let error): error.remedy
        case .hostFailed(_, _, let remedy, _): remedy
        case .unknownSelection(let word, let known): nearest(to: word, in: known).map { "Did you mean '\($0)'?" }
        case .notReady(_, _, _, let hint): hint
        case .invalidURL: "Write it as http://HOST:PORT/PATH."
        }
    }

    public var kind: ErrorKind {
        if escape != nil { return .refused }
        return switch self {
        case .stepFailed, .stepTimedOut, .stepLostGuest, .notRestarted: .provisioningFailed
        case .stepBroke(_, let error): error.kind == .interrupted ? .interrupted : .provisioningFailed
        case .hostFailed(_, _, _, let kind): kind
        case .unreadable, .invalidURL: .invalidConfiguration
        case .unknownSelection: .notFound
        case .notReady: .timeout
        case .broken(let error): error.kind
        }
    }

    public var cause: (any Error)? {
        switch self {
        case .stepBroke(_, let error), .broken(let error), .stepLostGuest(_, let error): error
        case .unreadable(_, let error): error
        default: nil
        }
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    }
}
