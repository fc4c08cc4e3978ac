/// Something in an image's tables that is wrong.
public struct QcowFinding: Hashable, Sendable {
    public enum Problem: String, Hashable, Sendable, CaseIterable {
        /// Bits are set that the format reserves.
        case malformed
        /// The entry points behind the end of the file.
        case outsideFile = "outside-file"
        /// Two owners of one cluster.
        case overlap
        /// The flag that says whether a cluster has one owner is wrong. Harmless to readers; repair puts it right.
        case wrongFlag = "wrong-flag"
        /// A cluster is in use and its refcount is too low. Repair puts it right.
        case refcountTooLow = "refcount-too-low"
        /// A cluster is not in use and its refcount says that it is: lost space. Repair puts it right.
        case leak
    }
    public var problem: Problem
    public var structure: QcowStructure
    /// Where the bad entry or cluster is in the file, in bytes.
    public var offset: UInt64
}

/// One look at all tables of an image: what they refer to, and what is wrong with them.
///
/// Bounded by the file's real size: every table is read once, because a second reference to it is a finding.
struct MetadataWalk {
    private let file: ImageFile
    private let header: QcowHeader
    private let geometry: ClusterGeometry
    private let stopAtFirst: Bool
    /// The end of the file, rounded up to a cluster.
    private let fileEnd: UInt64

    /// All references but those of the refcount structures, which are judged by whoever needs them.
    private(set) var references: ReferenceMap
    /// The first findings; `findingCount` counts all of them.
    private(set) var findings: [QcowFinding] = []
    private(set) var findingCount = 0
    /// Findings other than flags, which a reader does not care about.
    private(set) var hasDamage = false
    /// Clusters of the disk by what they are.
    private(set) var dataClusters: UInt64 = 0
    private(set) var compressedClusters: UInt64 = 0
    private(set) var zeroClusters: UInt64 = 0
    /// Entries whose flag is wrong, with the right value.
    private(set) var flagRepairs: [(offset: UInt64, value: UInt64)] = []
    /// The end of the header, the L1 table and the refcount table, in bytes.
    private(set) var fixedEnd: UInt64 = 0

    static let findingLimit = 1000

    init(file: ImageFile, header: QcowHeader, stopAtFirstFinding: Bool) throws(DiskImageError) {
        self.file = file
        self.header = header
        geometry = header.geometry
        stopAtFirst = stopAtFirstFinding
        fileEnd = geometry.roundUp(try file.size())
        references = ReferenceMap(geometry: geometry)
        try walk()
    }

    private var isDone: Bool { stopAtFirst && hasDamage }

    private mutating func report(_ problem: QcowFinding.Problem, _ structure: QcowStructure, _ offset: UInt64) {
        findingCount += 1
        if problem != .wrongFlag { hasDamage = true }
        if stopAtFirst, problem == .wrongFlag { return }
        if findings.count < Self.findingLimit {
            findings.append(QcowFinding(problem: problem, structure: structure, offset: offset))
        }
    }

    private mutating func walk() throws(DiskImageError) {
        _ = try references.addOwner(at: 0)
        let level1Bytes = UInt64(header.level1Count) * 8
        var offset = header.level1Offset
        while offset < header.level1Offset + level1Bytes {
            if try references.addOwner(at: offset) == .overlap { report(.overlap, .level1Table, offset) }
            offset += geometry.clusterSize
        }
        let refcountEnd = header.refcountTableOffset + UInt64(header.refcountTableClusters) * geometry.clusterSize
        fixedEnd = max(geometry.clusterSize, offset, refcountEnd)

        // The L1 table in pieces, so that its declared size costs no memory.
        let piece: UInt64 = 1 << 16
        var table = [UInt8](repeating: 0, count: Int(geometry.clusterSize))
        var position: UInt64 = 0
        while position < level1Bytes, !isDone {
            let entries = try file.read(
                count: Int(min(piece, level1Bytes - position)), at: header.level1Offset + position)
            for index in stride(from: 0, to: entries.count, by: 8) {
                let raw = loadBigEndian(entries, index)
                if raw == 0 { continue }
                try visitTable(raw, entryOffset: header.level1Offset + position + UInt64(index), &table)
                if isDone { return }
            }
            position += piece
        }
    }

    private mutating func visitTable(_ raw: UInt64, entryOffset: UInt64, _ table: inout [UInt8]) throws(DiskImageError)
    {
        let offset = raw & ClusterEntry.offsetMask
        guard raw & ClusterEntry.level1ReservedMask == 0, geometry.isAligned(offset) else {
            return report(.malformed, .level1Table, entryOffset)
        }
        if offset == 0 { return }
        guard offset < fileEnd else { return report(.outsideFile, .level1Table, entryOffset) }
        guard try references.addOwner(at: offset) == .added else { return report(.overlap, .level2Table, entryOffset) }
        if raw & ClusterEntry.exclusiveFlag == 0 {
            report(.wrongFlag, .level1Table, entryOffset)
            repairFlag(entryOffset, raw | ClusterEntry.exclusiveFlag)
        }
        // A table in a hole of the file has no entries. A sparse file could have terabytes of those.
        let (isData, count) = try file.run(at: offset, limit: geometry.clusterSize)
        if !isData, count == geometry.clusterSize { return }
        try unsafe table.withUnsafeMutableBufferPointer { buffer throws(DiskImageError) in
            _ = try unsafe file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
        for index in stride(from: 0, to: table.count, by: 8) {
            let entry = loadBigEndian(table, index)
            if entry == 0 { continue }
            try visitEntry(entry, entryOffset: offset + UInt64(index))
            if isDone { return }
        }
    }

    private mutating func visitEntry(_ raw: UInt64, entryOffset: UInt64) throws(DiskImageError) {
        guard let entry = ClusterEntry(raw, geometry: geometry, version: header.version) else {
            return report(.malformed, .level2Table, entryOffset)
        }
        switch entry {
        case .unallocated: break
        case .zero(let host):
            zeroClusters += 1
            if host != 0 { try visitCluster(host, raw, entryOffset) }
        case .data(let host, _):
            dataClusters += 1
            try visitCluster(host, raw, entryOffset)
        case .compressed(let host, let count):
            compressedClusters += 1
            // The last sector that the entry covers may lie behind the end of the file.
            guard host < fileEnd else { return report(.outsideFile, .level2Table, entryOffset) }
            let present = min(count, fileEnd - host)
            guard try references.addShared(at: host, count: present) == .added else {
                return report(.overlap, .compressedCluster, entryOffset)
            }
        }
    }

    private mutating func visitCluster(_ host: UInt64, _ raw: UInt64, _ entryOffset: UInt64) throws(DiskImageError) {
        guard host < fileEnd else { return report(.outsideFile, .level2Table, entryOffset) }
        guard try references.addOwner(at: host) == .added else { return report(.overlap, .dataCluster, entryOffset) }
        if raw & ClusterEntry.exclusiveFlag == 0 {
            report(.wrongFlag, .level2Table, entryOffset)
            repairFlag(entryOffset, raw | ClusterEntry.exclusiveFlag)
        }
    }

    private mutating func repairFlag(_ offset: UInt64, _ value: UInt64) {
        if !stopAtFirst { flagRepairs.append((offset, value)) }
    }
}

/// The table entry at a byte offset that the caller knows to be inside.
func loadBigEndian(_ table: [UInt8], _ offset: Int) -> UInt64 {
    UInt64(bigEndian: unsafe table.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) })
}
