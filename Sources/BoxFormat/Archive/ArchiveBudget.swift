internal import Reporting

/// Counts what an archive has cost so far against its limits.
struct ArchiveBudget {
    let limits: ArchiveLimits
    let archiveBytes: UInt64
    private var entries = 0
    private var unpacked: UInt64 = 0
    private var allocated: UInt64 = 0

    init(limits: ArchiveLimits, archiveBytes: UInt64) {
        self.limits = limits
        self.archiveBytes = archiveBytes
    }

    mutating func countEntry() throws(BoxError) {
        entries += 1
        if entries > limits.entries { throw .tooManyEntries(limit: limits.entries) }
    }

    mutating func countUnpacked(_ bytes: UInt64) throws(BoxError) {
        let (sum, overflow) = unpacked.addingReportingOverflow(bytes)
        if overflow || sum > limits.unpackedBytes {
            throw .tooMuchData(limit: ByteCount(limits.unpackedBytes), what: "files")
        }
        unpacked = sum
    }

    mutating func countAllocated(_ bytes: UInt64, decompressed: UInt64) throws(BoxError) {
        allocated += bytes
        let limit = limits.allocatedLimit(archiveBytes: archiveBytes)
        if allocated > limit.bytes { throw .tooMuchData(limit: limit, what: "data for an archive of its size") }
        let stream = limits.decompressedLimit(archiveBytes: archiveBytes)
        if decompressed > stream.bytes { throw .tooMuchData(limit: stream, what: "data for an archive of its size") }
    }
}
