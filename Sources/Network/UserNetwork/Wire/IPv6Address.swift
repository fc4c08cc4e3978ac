import NetworkAddress
import NetworkControl

/// An IPv6 address as two halves.
struct IPv6Address: Hashable {
    var high: UInt64
    var low: UInt64

    /// The environment's /64: a unique local prefix (RFC 4193) that follows from its IPv4 block.
    static func prefix(of subnet: IPv4Subnet) -> UInt64 {
        0xfd77_0000_0000_0000 | UInt64(subnet.network.rawValue) << 16
    }

    var isUnspecified: Bool { high == 0 && low == 0 }
    var isLinkLocal: Bool { high >> 54 == 0xfe80 >> 6 }
    var isMulticast: Bool { high >> 56 == 0xff }
    /// Global unicast (2000::/3), the only addresses beyond the environment that make sense to reach.
    var isGlobal: Bool { high >> 61 == 1 }

    /// The card whose Ethernet address the lower half was made of (RFC 4291, appendix A); nil if it was not.
    var hardwareAddress: MACAddress? {
        guard low >> 24 & 0xffff == 0xfffe else { return nil }
        return MACAddress(rawValue: (low >> 40 ^ 0x02_0000) << 24 | low & 0xff_ffff)
    }
}

extension RawSpan {
    func ipv6Address(_ offset: Int) -> IPv6Address? {
        guard let high = uint64(offset), let low = uint64(offset + 8) else { return nil }
        return IPv6Address(high: high, low: low)
    }
}
