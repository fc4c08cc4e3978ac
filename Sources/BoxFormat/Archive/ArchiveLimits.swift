internal import Reporting

/// What an archive may cost before it is refused. The defaults fit any honest box.
public struct ArchiveLimits: Sendable {
    public var entries = 4096
    /// The size of all files together, holes included, in bytes.
    public var unpackedBytes: UInt64 = 2 << 40
    /// Bytes on the disk for each byte of archive; zeros become holes and do not count.
    public var ratio: UInt64 = 256
    /// The bytes on the disk that are allowed whatever the ratio, so that small boxes pass.
    public var alwaysAllowed: UInt64 = 64 << 20
    /// Bytes that the decompressor gives for each byte of archive, zeros included. This bounds the time.
    public var decompressedRatio: UInt64 = 50_000

    public init() {}

    func allocatedLimit(archiveBytes: UInt64) -> ByteCount {
        let (product, overflow) = archiveBytes.multipliedReportingOverflow(by: ratio)
        return ByteCount(overflow ? .max : max(product, alwaysAllowed))
    }

    func decompressedLimit(archiveBytes: UInt64) -> ByteCount {
        let (product, overflow) = archiveBytes.multipliedReportingOverflow(by: decompressedRatio)
        return ByteCount(overflow ? .max : max(product, 1 << 30))
    }
}
