/// The sizes that follow from a qcow2 image's cluster size.
struct ClusterGeometry: Equatable, Sendable {
    /// Clusters are 2^this bytes large.
    let clusterBits: UInt32

    static let allowedClusterBits: ClosedRange<UInt32> = 9...21

    /// In bytes.
    var clusterSize: UInt64 { 1 << UInt64(clusterBits) }
    /// An L2 table fills one cluster with entries of 8 bytes.
    var entriesPerTable: UInt64 { clusterSize >> 3 }

    /// The number of L1 entries that a disk of `size` bytes needs.
    func tableCount(size: UInt64) -> UInt64 { size == 0 ? 0 : (size - 1) >> UInt64(2 * clusterBits - 3) + 1 }
    /// The number of clusters that hold `bytes` bytes.
    func clusterCount(_ bytes: UInt64) -> UInt64 { bytes == 0 ? 0 : (bytes - 1) >> UInt64(clusterBits) + 1 }
    /// The next cluster boundary at or behind `offset`. No offset in an image comes near to an overflow.
    func roundUp(_ offset: UInt64) -> UInt64 { (offset &+ (clusterSize - 1)) & ~(clusterSize - 1) }
    func roundDown(_ offset: UInt64) -> UInt64 { offset & ~(clusterSize - 1) }
    func isAligned(_ offset: UInt64) -> Bool { offset & (clusterSize - 1) == 0 }
}

/// Bounds on what an image may declare, so that opening one takes bounded time and memory. QEMU has the same.
enum QcowLimit {
    /// In bytes.
    static let level1Table: UInt64 = 32 << 20
    static let refcountTable: UInt64 = 8 << 20
    static let snapshots: UInt32 = 65_536
    static let backingName = 1023
    /// Layers of a disk.
    static let chain = 32
    /// Host offsets have 56 bits.
    static let fileSize: UInt64 = 1 << 56
}
