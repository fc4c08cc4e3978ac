/// What an L2 entry says about one cluster of the disk (qcow2 specification, "Cluster mapping").
enum ClusterEntry: Equatable, Sendable {
    /// The image says nothing: the backing file does, or the cluster is zero.
    case unallocated
    /// Reads as zeroes. `host` is a cluster of the file that is set aside for it, or 0.
    case zero(host: UInt64)
    /// Stored at `host`. `exclusive` is the COPIED flag: nobody else refers to that cluster, so it may be overwritten.
    case data(host: UInt64, exclusive: Bool)
    /// Stored compressed in `count` bytes at `host`, neither aligned; the last sector may lie behind the end of the
    /// file.
    case compressed(host: UInt64, count: UInt64)

    static let exclusiveFlag: UInt64 = 1 << 63
    static let compressedFlag: UInt64 = 1 << 62
    static let zeroFlag: UInt64 = 1
    static let offsetMask: UInt64 = 0x00ff_ffff_ffff_fe00
    /// Bits that must be 0 in an entry for a cluster that is not compressed.
    static let reservedMask: UInt64 = 0x3f00_0000_0000_01fe
    /// The same for an L1 entry.
    static let level1ReservedMask: UInt64 = 0x7f00_0000_0000_01ff

    /// Reads an entry.
    /// - Parameter version: In version 2 the zero flag is a reserved bit.
    /// - Returns: nil if the entry is one that the format forbids. Nothing is said about the file's size.
    init?(_ raw: UInt64, geometry: ClusterGeometry, version: UInt32) {
        if raw & Self.compressedFlag != 0 {
            guard raw & Self.exclusiveFlag == 0 else { return nil }
            let countBits = UInt64(geometry.clusterBits - 8)
            let offsetBits = 62 - countBits
            let host = raw & ((1 << offsetBits) - 1)
            let sectors = (raw >> offsetBits) & ((1 << countBits) - 1) + 1
            guard host != 0, host < QcowLimit.fileSize else { return nil }
            self = .compressed(host: host, count: sectors * 512 - host % 512)
            return
        }
        let host = raw & Self.offsetMask
        guard raw & Self.reservedMask == 0, geometry.isAligned(host) else { return nil }
        if raw & Self.zeroFlag != 0 {
            guard version >= 3 else { return nil }
            self = .zero(host: host)
        } else if host == 0 {
            self = .unallocated
        } else {
            self = .data(host: host, exclusive: raw & Self.exclusiveFlag != 0)
        }
    }

    static func data(at host: UInt64) -> UInt64 { host | exclusiveFlag }

    /// - Returns: nil if the format has no room for such an offset or length.
    static func compressed(at host: UInt64, count: UInt64, geometry: ClusterGeometry) -> UInt64? {
        let countBits = UInt64(geometry.clusterBits - 8)
        let offsetBits = 62 - countBits
        let sectors = (host % 512 + count + 511) / 512
        guard count > 0, host >> offsetBits == 0, sectors <= 1 << countBits else { return nil }
        return compressedFlag | (sectors - 1) << offsetBits | host
    }
}
