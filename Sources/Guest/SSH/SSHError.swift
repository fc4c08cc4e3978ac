public import LinuxSystem
public import Reporting
public import SystemPackage

/// Why something over SSH did not work, with the layer at which it failed.
public enum SSHError: UserFacingError, Equatable {
    /// The port answers, and says no: nothing listens there.
    case refused(String)
    /// The transport cannot be connected for another reason.
    case unreachable(String, Errno)
    /// A host name where only addresses are understood.
    case notAnAddress(String)
    /// The other side did nothing for so long, in milliseconds.
    case timedOut(SSHLayer, milliseconds: Int64)
    /// The other side ended the connection.
    case closed(SSHLayer)
    case reset(SSHLayer)
    /// What answered is not an SSH server; the argument is the start of what it said.
    case notSSH(String)
    /// Fingerprints.
    case hostKeyChanged(expected: String, actual: String)
    /// No method of encryption or identification in common, or a broken peer.
    case protocolFailure(SSHLayer, String)
    case authenticationRefused(user: String, tried: [String], offered: [String])
    case invalidKey(String)
    case channelRefused(String)
    /// The user's login shell has ended without starting `sh`.
    case noShell(status: Int32, said: String)
    /// The server makes no connections for its users, by its settings.
    case forwardingRefused(String)
    /// A file that could not be moved between host and guest.
    case transferFailed(path: String, reason: String)
    case commandFailed(command: String, status: Int32, output: String)
    /// A command of wander's own about which the guest said nothing, for so long in milliseconds.
    case noAnswer(command: String, milliseconds: Int64)
    /// The process that `ReadyWait` was told to watch has ended.
    case machineEnded
    /// SSH did not come up in time; how far the best attempt came and what ended the last one.
    indirect case notReady(reached: SSHLayer, last: SSHError?, milliseconds: Int64)
    case interrupted
    case system(SystemError)

    /// The layer at which it failed; nil if layers do not matter.
    public var layer: SSHLayer? {
        switch self {
        case .refused, .unreachable, .notAnAddress: .connection
        case .timedOut(let layer, _), .closed(let layer), .reset(let layer), .protocolFailure(let layer, _): layer
        case .notSSH: .banner
        case .hostKeyChanged: .keyExchange
        case .authenticationRefused: .authentication
        case .channelRefused, .noShell, .forwardingRefused, .transferFailed, .commandFailed, .noAnswer: .channel
        case .notReady(let layer, _, _): layer
        case .invalidKey, .machineEnded, .interrupted, .system: nil
        }
    }

    public var summary: String {
        switch self {
        case .refused(let place): "nothing accepts SSH connections at \(place)"
        case .unreachable(let place, let errno): "cannot connect to \(place): \(errno)"
        case .notAnAddress(let host): "'\(host)' is not an IP address"
        case .timedOut(let layer, let limit): "SSH timed out after \(Self.seconds(limit)) while \(layer)"
        case .closed(let layer): "the guest closed the SSH connection while \(layer)"
        case .reset(let layer): "the SSH connection was reset while \(layer)"
        case .notSSH(let text): "what answers is not an SSH server; it says '\(text)'"
        case .hostKeyChanged: "the machine's SSH host key is not the one it had before"
        case .protocolFailure(let layer, let reason): "SSH failed while \(layer): \(reason)"
        case .authenticationRefused(let user, _, _): "the guest does not accept the SSH login of user '\(user)'"
        case .invalidKey(let reason): "cannot use the SSH key: \(reason)"
        case .channelRefused(let reason): "the guest refused to start the command: \(reason)"
        case .noShell(let status, _): "the user's login shell in the guest does not start 'sh' (exit status \(status))"
        case .forwardingRefused(let reason): "the guest's SSH server forwards no connections: \(reason)"
        case .transferFailed(let path, let reason): "cannot transfer \(path): \(reason)"
        case .commandFailed(let command, let status, _): "'\(command)' failed in the guest with exit status \(status)"
        case .noAnswer(let command, let limit):
            "the guest was told to '\(command)' and has not answered for \(Self.seconds(limit))"
        case .machineEnded: "the machine stopped before SSH answered"
        case .notReady(let reached, _, let limit): "SSH was not ready after \(Self.seconds(limit)) (\(reached))"
        case .interrupted: Interruption().summary
        case .system(let error): error.summary
        }
    }

    public var detail: String? {
        switch self {
        case .hostKeyChanged(let expected, let actual): "expected \(expected)\nreceived \(actual)"
        case .authenticationRefused(_, let tried, let offered):
            "tried: \(tried.isEmpty ? "nothing" : tried.joined(separator: ", "))\n"
                + "the guest accepts: \(offered.isEmpty ? "unknown" : offered.joined(separator: ", "))"
        case .commandFailed(_, _, let output) where !output.isEmpty: output
        case .noShell(_, let said) where !said.isEmpty: said
        case .notReady(_, let last?, _): "last attempt: \(last.summary)"
        default: nil
        }
    }

    public var remedy: String? {
        switch self {
        case .hostKeyChanged:
            "If the guest made itself a new host key, destroy the machine and bring it up again; if not, do not log in."
        case .authenticationRefused:
            "Check the user name and the key; the guest's ~/.ssh/authorized_keys must hold the key's public line."
        case .noAnswer: "Its shell, its sudo or its disk hangs. Look at it: wander console"
        case .noShell: "Give the user a shell that runs commands and finds 'sh': chsh -s /bin/sh"
        case .notAnAddress: "Use an address such as 127.0.0.1."
        case .system(let error): error.remedy
        default: nil
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .timedOut, .notReady, .noAnswer: .timeout
        case .interrupted: .interrupted
        case .invalidKey: .invalidConfiguration
        case .system(let error): error.kind
        case .commandFailed, .transferFailed, .noShell: .failure
        default: .network
        }
    }

    public var cause: (any Error)? {
        switch self {
        case .notReady(_, let last?, _): last
        case .system(let error): error
        default: nil
        }
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    }
}
