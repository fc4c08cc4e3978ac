import Reporting

/// An Ethernet address, held in the low 48 bits of a number; the first byte written is the highest.
public struct MACAddress: Hashable, Sendable, LosslessStringConvertible {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue & 0xffff_ffff_ffff }

    /// Reads `52:54:00:12:34:56`.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 6 else { return nil }
        var value: UInt64 = 0
        for part in parts {
            guard part.count == 2, let digits = String(part), digits.allSatisfy(\.isHexDigit),
                let byte = UInt8(digits, radix: 16)
            else { return nil }
            value = value << 8 | UInt64(byte)
        }
        rawValue = value
    }

    /// Another one each time: locally administered, with the first half that QEMU's and KVM's guests customarily have.
    public static func random() -> MACAddress {
        MACAddress(rawValue: 0x5254_0000_0000 | UInt64.random(in: 0..<1 << 24))
    }

    public static let broadcast = MACAddress(rawValue: .max)

    /// Whether it names a group of stations (the lowest bit of the first byte).
    public var isMulticast: Bool { rawValue >> 40 & 1 == 1 }

    public var bytes: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: rawValue >> UInt64(40 - 8 * $0)) } }

    public var description: String {
        bytes.map { hexadecimal([$0]) }.joined(separator: ":")
    }
}
