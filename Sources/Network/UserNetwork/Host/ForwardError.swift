import Glibc
import NetworkAddress
import NetworkControl
import Reporting
import SystemPackage

/// Why a port of the host could not be opened.
enum ForwardError: UserFacingError, Equatable {
    case invalidAddress(String)
    case cannotListen(PortForward, Errno)
    case unknownMachine(String)

    var summary: String {
        switch self {
        case .invalidAddress(let text): "'\(text)' is not a numeric IP address of this host"
        case .cannotListen(let forward, .addressInUse):
            "port \(forward.hostPort) of \(forward.bind) is in use by another program"
        case .cannotListen(let forward, let errno):
            "cannot listen on \(forward.transport.rawValue) port \(forward.hostPort) of \(forward.bind): \(errno)"
        case .unknownMachine(let name): "the network has no machine '\(name)'"
        }
    }
    var remedy: String? {
        switch self {
        case .cannotListen(let forward, .addressInUse):
            "Find the program with 'ss -ltnp sport = :\(forward.hostPort)', or forward another port."
        case .cannotListen(let forward, .permissionDenied) where forward.hostPort < 1024:
            "Ports below 1024 need a privilege that wander does not have; forward a higher port."
        default: nil
        }
    }
    var kind: ErrorKind {
        switch self {
        case .invalidAddress: .invalidConfiguration
        case .cannotListen: .hostNotAble
        case .unknownMachine: .notFound
        }
    }
}
