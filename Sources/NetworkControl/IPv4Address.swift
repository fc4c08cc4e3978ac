/// An IPv4 address, held as a number whose highest byte is the first one written.
public struct IPv4Address: Hashable, Comparable, Sendable, LosslessStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Reads four decimal numbers between dots. Leading zeros are refused: some programs take them for octal.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard let digits = String(part), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                digits == "0" || !digits.hasPrefix("0"), let number = UInt8(digits)
            else { return nil }
            value = value << 8 | UInt32(number)
        }
        rawValue = value
    }

    public static let unspecified = IPv4Address(rawValue: 0)
    public static let broadcast = IPv4Address(rawValue: .max)
    public static let loopback = IPv4Address(rawValue: 0x7f00_0001)

    public var description: String {
        "\(rawValue >> 24).\(rawValue >> 16 & 0xff).\(rawValue >> 8 & 0xff).\(rawValue & 0xff)"
    }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A block of IPv4 addresses, such as `10.77.0.0/24`.
public struct IPv4Subnet: Hashable, Sendable, LosslessStringConvertible {
    /// The lowest address of the block.
    public let network: IPv4Address
    /// How many leading bits all of its addresses share.
    public let prefixLength: Int

    /// Accepts blocks of 8 to 65,536 addresses: a gateway and machines must fit, and tables stay small.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(String(parts[0])), let length = Int(parts[1]),
            (16...29).contains(length), String(length) == parts[1]
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
