/// An IPv4 address.
public struct IPv4Address: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// In host byte order: `10.0.0.1` is 0x0a000001.
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Four decimal numbers with dots between them; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        rawValue = 0
        for part in parts {
            // A leading zero would mean octal to some programs and decimal to others.
            guard (1...3).contains(part.utf8.count), part == "0" || part.first != "0",
                part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let byte = UInt8(part)
            else { return nil }
            rawValue = rawValue << 8 | UInt32(byte)
        }
    }

    public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.rawValue < right.rawValue }

    public var description: String {
        [24, 16, 8, 0].map { String(rawValue >> UInt32($0) & 0xff) }.joined(separator: ".")
    }
}

/// A range of IPv4 addresses such as `10.77.0.0/24`.
public struct IPv4Subnet: Hashable, Sendable, CustomStringConvertible {
    /// The network's own address, all host bits zero.
    public var address: IPv4Address
    /// In bits.
    public var prefixLength: Int

    /// nil if `text` is no address with a prefix length, or has host bits set.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(parts[0]), parts[1].utf8.count <= 2,
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1]), length <= 32
        else { return nil }
        self.address = address
        prefixLength = length
        guard address.rawValue & ~mask == 0 else { return nil }
    }

    public var mask: UInt32 { prefixLength == 0 ? 0 : ~0 << UInt32(32 - prefixLength) }
    public var broadcast: IPv4Address { IPv4Address(rawValue: address.rawValue | ~mask) }
    public func contains(_ other: IPv4Address) -> Bool { other.rawValue & mask == address.rawValue }
    public var description: String { "\(address)/\(prefixLength)" }
}

extension IPv4Subnet {
    /// The address that the network service keeps for itself: router, name server, and the way to the host.
    public var gateway: IPv4Address { IPv4Address(rawValue: address.rawValue &+ 1) }
}
