import NetworkAddress

/// What identifies one of a guest's connections to the outside.
struct OutsideFlow: Hashable {
    enum Address: Hashable {
        case v4(IPv4Address)
        case v6(IPv6Address)
    }
    var guest: Address
    var guestPort: UInt16
    /// As the guest addresses it: the host is the gateway here.
    var remote: Address
    var remotePort: UInt16
}
