/// A number of bytes as people read it: binary units, rounded down, one decimal below 100.
public struct ByteCount: Hashable, Sendable, CustomStringConvertible {
    public var bytes: UInt64
    public init(_ bytes: UInt64) { self.bytes = bytes }

    public var description: String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        // The exponent of the largest unit that is not above the number.
        let unit = min((63 - bytes.leadingZeroBitCount) / 10, units.count)
        let whole = bytes >> (10 * unit)
        // Ten bits of the fraction are plenty for one decimal digit.
        let fraction = (bytes >> (10 * (unit - 1))) & 1023
        return whole < 100 ? "\(whole).\(fraction * 10 / 1024) \(units[unit - 1])" : "\(whole) \(units[unit - 1])"
    }
}
