import LinuxSystem

/// What a look at all of an image's tables found.
public struct CheckReport: Hashable, Sendable {
    /// The first findings, at most 1000 of each kind.
    public var findings: [QcowFinding] = []
    /// Structural damage: entries that point where they must not.
    public var corruptions: UInt64 = 0
    /// Flags that say wrongly that a cluster is shared. Repair sets them.
    public var wrongFlags: UInt64 = 0
    /// Clusters in use that the refcounts do not count.
    public var refcountsTooLow: UInt64 = 0
    /// Clusters that the refcounts count and nobody uses.
    public var leaks: UInt64 = 0
    /// The image was not closed: its refcounts must be computed again, which opening it for writing does.
    public var isDirty = false
    public var isMarkedCorrupt = false

    /// Clusters of the disk by what they are.
    public var dataClusters: UInt64 = 0
    public var compressedClusters: UInt64 = 0
    public var zeroClusters: UInt64 = 0
    /// In bytes.
    public var clusterSize: UInt64 = 0
    /// The end of the last cluster in use, in bytes.
    public var end: UInt64 = 0

    /// Nothing at all is wrong.
    public var isSound: Bool {
        corruptions == 0 && wrongFlags == 0 && refcountsTooLow == 0 && leaks == 0 && !isDirty && !isMarkedCorrupt
    }
    /// Whether the disk's content is unaffected by what is wrong.
    public var hasOnlyRefcountFindings: Bool { corruptions == 0 && !isMarkedCorrupt }
}

extension DiskImage {
    /// Looks at all tables of a qcow2 image; a raw image has none.
    ///
    /// It checks only the image's own file: what is below it is a disk of its own.
    public static func check(_ layer: DiskLayer) throws(DiskImageError) -> CheckReport {
        guard layer.format == .qcow2 else { return CheckReport() }
        let file = try ImageFile(layer.path, access: .readOnly)
        do throws(DiskImageError) {
            let header = try QcowImage.readHeader(file, size: file.size())
            return try check(file, header).report
        } catch { throw error.inFile(layer.path) }
    }

    private static func check(
        _ file: ImageFile, _ header: QcowHeader
    ) throws(DiskImageError) -> (report: CheckReport, walk: MetadataWalk, tables: RefcountTables) {
        guard header.snapshotCount == 0 else { throw .hasSnapshots(header.snapshotCount) }
        let walk = try MetadataWalk(file: file, header: header, stopAtFirstFinding: false)
        let tables = try RefcountTables(file: file, header: header, references: walk.references)
        let refcounts = try tables.compare()
        var report = CheckReport()
        report.findings = walk.findings + tables.findings + refcounts.findings
        report.wrongFlags = UInt64(walk.flagRepairs.count)
        report.corruptions = UInt64(walk.findingCount - walk.flagRepairs.count + tables.findings.count)
        report.refcountsTooLow = refcounts.tooLow
        report.leaks = refcounts.leaks
        report.isDirty = header.incompatible.contains(.dirty)
        report.isMarkedCorrupt = header.incompatible.contains(.corrupt)
        report.dataClusters = walk.dataClusters
        report.compressedClusters = walk.compressedClusters
        report.zeroClusters = walk.zeroClusters
        report.clusterSize = header.geometry.clusterSize
        report.end = tables.references.end
        return (report, walk, tables)
    }

    /// Makes refcounts and flags what they should be, and removes the marks of a dirty or corrupt image.
    ///
    /// It leaves entries alone that point where they must not, since their right value is not known.
    /// - Returns: What was found before, and what is still wrong.
    public static func repair(_ layer: DiskLayer) throws(DiskImageError) -> (before: CheckReport, after: CheckReport) {
        guard layer.format == .qcow2 else { return (CheckReport(), CheckReport()) }
        let file = try ImageFile(layer.path, access: .readWrite)
        do throws(DiskImageError) {
            var header = try QcowImage.readHeader(file, size: file.size())
            var (before, walk, tables) = try check(file, header)
            // Damage to tables: refcounts made from them would declare clusters free that may hold something.
            guard walk.findingCount == walk.flagRepairs.count, !before.isSound else { return (before, before) }
            if header.version >= 3 {
                header.incompatible.insert(.dirty)
                try file.write(header.incompatible.rawValue.bigEndianBytes, at: QcowHeader.Field.incompatible)
                try file.synchronize()
            }
            for repair in walk.flagRepairs { try file.write(repair.value.bigEndianBytes, at: repair.offset) }
            let result = try tables.write()
            if try file.size() > result.end { try file.truncate(to: result.end) }
            try file.synchronize()
            if header.version >= 3 {
                header.incompatible.subtract([.dirty, .corrupt])
                try file.write(header.incompatible.rawValue.bigEndianBytes, at: QcowHeader.Field.incompatible)
                try file.synchronize()
            }
            let after = try check(file, QcowImage.readHeader(file, size: file.size())).report
            return (before, after)
        } catch { throw error.inFile(layer.path) }
    }
}
