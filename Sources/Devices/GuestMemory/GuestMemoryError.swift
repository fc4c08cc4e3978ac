public import Reporting

/// Why an access to guest memory was refused.
public enum GuestMemoryError: UserFacingError, Equatable {
    /// Some of the `count` bytes at `address` (guest-physical) are not RAM.
    case outOfRange(address: UInt64, count: Int)
    /// An atomic access needs natural alignment.
    case misaligned(address: UInt64)

    public var summary: String {
        switch self {
        case .outOfRange(let address, let count):
            "\(count) bytes at guest address 0x\(String(address, radix: 16)) are not in guest memory"
        case .misaligned(let address): "guest address 0x\(String(address, radix: 16)) is not aligned"
        }
    }
}
