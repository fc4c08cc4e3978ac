public import Reporting

/// Why a guest is not what its user-data says.
public enum CloudInitError: UserFacingError {
    /// - Parameters:
    ///   - status: The exit status of `cloud-init status`.
    ///   - log: The last lines of what cloud-init printed.
    case failed(machine: String, status: Int32, errors: [String], log: [String])
    /// - Parameter last: The last line that cloud-init printed.
    case timedOut(machine: String, milliseconds: Int64, last: String)

    public var summary: String {
        switch self {
        case .failed(_, let status, _, _): "cloud-init failed in the guest (its status has the exit status \(status))"
        case .timedOut(_, let milliseconds, _): "cloud-init is still at work after \(milliseconds / 1000) s"
        }
    }

    public var detail: String? {
        switch self {
        case .failed(_, _, let errors, let log):
            let parts = [
                errors.map { "  \($0)" }.joined(separator: "\n"),
                log.isEmpty ? "" : "its last output:\n" + log.map { "  \($0)" }.joined(separator: "\n"),
            ]
            let text = parts.filter { !$0.isEmpty }.joined(separator: "\n")
            return text.isEmpty ? nil : text
        case .timedOut(_, _, let last): return last.isEmpty ? nil : "its last output:\n  \(last)"
        }
    }

    public var remedy: String? {
        switch self {
        case .failed(let machine, _, _, _):
            "The machine is left as it is. Look at it: wander ssh \(machine) -c 'sudo cloud-init status --long'. cloud-init "
                + "does its work once: mend 'cloud_init' in the Wanderfile, and make the machine again: "
                + "wander destroy \(machine) && wander up \(machine)"
        case .timedOut(let machine, _, _):
            "It keeps working, and 'wander up \(machine)' waits for it again. See what it does: "
                + "wander ssh \(machine) -c 'sudo tail -f /var/log/cloud-init-output.log'"
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .failed: .provisioningFailed
        case .timedOut: .timeout
        }
    }
}
