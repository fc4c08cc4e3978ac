/// A block of IPv4 addresses, such as `10.77.0.0/24`.
public struct IPv4Subnet: Hashable, Sendable, LosslessStringConvertible {
    /// The lowest address of the block.
    public let network: IPv4Address
    /// How many leading bits all of its addresses share.
    public let prefixLength: Int

    /// What a network of machines may have, in bits.
    public static let prefixLengths = 16...29

    /// Accepts blocks of 8 to 65,536 addresses: a gateway and machines must fit, and tables stay small.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(parts[0]), let length = Int(parts[1]),
            Self.prefixLengths.contains(length), String(length) == parts[1]
        else { return nil }
        prefixLength = length
        network = IPv4Address(rawValue: address.rawValue & (UInt32.max << UInt32(32 - length)))
        guard network == address else { return nil }
    }

    public var mask: IPv4Address { IPv4Address(rawValue: UInt32.max << UInt32(32 - prefixLength)) }
    public var broadcast: IPv4Address { IPv4Address(rawValue: network.rawValue | ~mask.rawValue) }
    /// The first address: router, DHCP and DNS server, and the host itself.
    public var gateway: IPv4Address { IPv4Address(rawValue: network.rawValue &+ 1) }
    public func contains(_ address: IPv4Address) -> Bool { address.rawValue & mask.rawValue == network.rawValue }
    /// Whether a machine may have `address`.
    public func canHold(_ address: IPv4Address) -> Bool {
        contains(address) && address != network && address != gateway && address != broadcast
    }
    public var description: String { "\(network)/\(prefixLength)" }
}
