import Reporting

/// A request that the process does not know.
enum ControlError: UserFacingError, Equatable {
    case unknownCommand(String)
    /// In bytes.
    case tooLong(limit: Int)
    case tooManyDescriptors(limit: Int)
    case wrongSockets

    var summary: String {
        switch self {
        case .unknownCommand(let name): "the network process does not know the command '\(name)'"
        case .tooLong(let limit): "the request to the network process is longer than \(limit) bytes"
        case .tooManyDescriptors(let limit):
            "the request to the network process brought more than \(limit) descriptors"
        case .wrongSockets: "the request did not bring the sockets that the machine needs"
        }
    }
    var remedy: String? { "Install wander and wander-net of the same version, then run 'wander halt' and 'wander up'." }
}
