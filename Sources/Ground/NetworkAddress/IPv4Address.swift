/// An IPv4 address, held as a number whose highest byte is the first one written.
public struct IPv4Address: Hashable, Comparable, Sendable, LosslessStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Reads four decimal numbers between dots. Leading zeros are refused: some programs take them for octal.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), part == "0" || !part.hasPrefix("0"),
                let number = UInt8(part)
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
