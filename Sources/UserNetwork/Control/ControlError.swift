import Reporting

/// A request that the process does not know.
enum ControlError: UserFacingError, Equatable {
    case unknownCommand(String)
    case wrongSockets

    var summary: String {
        switch self {
        case .unknownCommand(let name): "the network process does not know the command '\(name)'"
        case .wrongSockets: "the request did not bring the sockets that the machine needs"
        }
    }
    var remedy: String? { "Install wander and wander-net of the same version, then run 'wander halt' and 'wander up'." }
}
