/// The header of a request to a disk (Virtio 1.2, section 5.2.6), copied out of the guest once.
struct BlockRequestHeader: BitwiseCopyable {
    private var rawKind: UInt32 = 0
    private var reserved: UInt32 = 0
    private var rawSector: UInt64 = 0

    enum Kind: UInt32 {
        case read = 0
        case write = 1
        case flush = 4
        case identify = 8
        case discard = 11
        case writeZeroes = 13
    }

    /// nil for what this device does not know.
    var kind: Kind? { Kind(rawValue: UInt32(littleEndian: rawKind)) }
    /// In units of 512 bytes, whatever the disk's block size is.
    var sector: UInt64 { UInt64(littleEndian: rawSector) }
}

/// One range of a discard or write-zeroes request.
struct BlockRange: BitwiseCopyable {
    private var rawSector: UInt64 = 0
    private var rawCount: UInt32 = 0
    private var rawFlags: UInt32 = 0

    static let unmap: UInt32 = 1
    var sector: UInt64 { UInt64(littleEndian: rawSector) }
    /// In sectors.
    var count: UInt32 { UInt32(littleEndian: rawCount) }
    var flags: UInt32 { UInt32(littleEndian: rawFlags) }
}

/// What a disk answers in the last byte of a request.
enum BlockStatus: UInt8 {
    case success = 0
    case failed = 1
    case unsupported = 2
}
