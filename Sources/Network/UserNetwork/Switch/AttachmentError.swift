import NetworkAddress
import NetworkControl
import Reporting

/// Why a machine cannot join the network.
enum AttachmentError: UserFacingError, Equatable {
    case unusableMAC(MACAddress, machine: String)
    case addressOutside(IPv4Address, IPv4Subnet, machine: String)
    case addressTaken(IPv4Address, machine: String)
    case full(IPv4Subnet)

    var summary: String {
        switch self {
        case .unusableMAC(let mac, let machine):
            "machine '\(machine)' cannot have the Ethernet address \(mac): another machine has it, or it is not a station's"
        case .addressOutside(let address, let subnet, let machine):
            "machine '\(machine)' cannot have the address \(address): it is not a machine's in \(subnet)"
        case .addressTaken(let address, let machine):
            "machine '\(machine)' cannot have the address \(address): another machine has it"
        case .full(let subnet): "the network \(subnet) has no free address"
        }
    }
    var remedy: String? {
        switch self {
        case .addressOutside(_, let subnet, _):
            "Use an address of \(subnet) other than \(subnet.network), \(subnet.gateway) and \(subnet.broadcast)."
        case .full: "Give the environment a larger subnet."
        default: nil
        }
    }
    var kind: ErrorKind { .invalidConfiguration }
}
