/// The refcount structures of an image, as they are in its file and as they should be.
///
/// wander does not use refcounts: it writes them for other programs, from what the tables refer to.
struct RefcountTables {
    private let file: ImageFile
    private(set) var header: QcowHeader
    private let geometry: ClusterGeometry
    /// What the image refers to, including the refcount structures themselves.
    private(set) var references: ReferenceMap
    /// Blocks that exist and are sound, by index.
    private(set) var blocks: [UInt64: UInt64] = [:]
    /// Entries of the table that cannot be used.
    private(set) var findings: [QcowFinding] = []
    private var tableIsUsable = true

    /// Adds the refcount structures in the file to `references`, and judges them.
    init(file: ImageFile, header: QcowHeader, references: ReferenceMap) throws(DiskImageError) {
        self.file = file
        self.header = header
        geometry = header.geometry
        self.references = references
        try readTable()
    }

    private mutating func readTable() throws(DiskImageError) {
        let fileEnd = geometry.roundUp(try file.size())
        let tableBytes = UInt64(header.refcountTableClusters) * geometry.clusterSize
        for index in 0..<UInt64(header.refcountTableClusters) {
            let offset = header.refcountTableOffset + index * geometry.clusterSize
            if try references.addOwner(at: offset) == .overlap {
                findings.append(QcowFinding(problem: .overlap, structure: .refcountTable, offset: offset))
                tableIsUsable = false
            }
        }
        guard tableIsUsable else { return }
        let bytes = try file.read(count: Int(tableBytes), at: header.refcountTableOffset)
        for index in stride(from: 0, to: bytes.count, by: 8) {
            let raw = loadBigEndian(bytes, index)
            if raw == 0 { continue }
            let entryOffset = header.refcountTableOffset + UInt64(index)
            var problem: QcowFinding.Problem?
            if raw & 0x1ff != 0 || !geometry.isAligned(raw) {
                problem = .malformed
            } else if raw >= fileEnd {
                problem = .outsideFile
            } else if try references.addOwner(at: raw) == .overlap {
                problem = .overlap
            } else {
                blocks[UInt64(index / 8)] = raw
            }
            if let problem, findings.count < MetadataWalk.findingLimit {
                findings.append(QcowFinding(problem: problem, structure: .refcountBlock, offset: entryOffset))
            }
        }
    }

    // MARK: Comparing

    /// Where the refcounts in the file differ from the references.
    /// - Returns: The first findings, and the number of leaked clusters and of those with too low a refcount.
    func compare() throws(DiskImageError) -> (findings: [QcowFinding], leaks: UInt64, tooLow: UInt64) {
        var findings: [QcowFinding] = []
        var leaks: UInt64 = 0
        var tooLow: UInt64 = 0
        func note(_ problem: QcowFinding.Problem, _ cluster: UInt64) {
            if findings.count < MetadataWalk.findingLimit {
                let offset = cluster << UInt64(geometry.clusterBits)
                findings.append(QcowFinding(problem: problem, structure: .refcountBlock, offset: offset))
            }
        }
        let perBlock = header.refcountsPerBlock
        // Blocks that count nothing: those that do not exist, and those in holes of the file.
        var present = Set<UInt64>()
        for index in blocks.keys.sorted() {
            guard let offset = blocks[index], try !isHole(offset) else { continue }
            present.insert(index)
            let block = try file.read(count: Int(geometry.clusterSize), at: offset)
            for entry in 0..<perBlock {
                let cluster = index * perBlock + entry
                guard cluster < QcowLimit.fileSize >> UInt64(geometry.clusterBits) else { break }
                let stored = Self.load(block, Int(entry), order: header.refcountOrder)
                let wanted = references.count(at: cluster << UInt64(geometry.clusterBits))
                if stored < wanted {
                    tooLow += 1
                    note(.refcountTooLow, cluster)
                } else if stored > wanted {
                    leaks += 1
                    note(.leak, cluster)
                }
            }
        }
        try references.forEachCluster { cluster throws(DiskImageError) in
            if !present.contains(cluster / perBlock) {
                tooLow += 1
                note(.refcountTooLow, cluster)
            }
        }
        return (findings, leaks, tooLow)
    }

    private func isHole(_ offset: UInt64) throws(DiskImageError) -> Bool {
        let (isData, count) = try file.run(at: offset, limit: geometry.clusterSize)
        return !isData && count == geometry.clusterSize
    }

    // MARK: Writing

    /// Makes the refcounts in the file equal to the references.
    ///
    /// Overwrites only refcount structures; new ones lie behind everything in use, and the header points at a new table
    /// only when all of it is on the disk. Until that has happened the image must be marked dirty.
    /// - Returns: The header as it now is, and the end of the last cluster in use.
    mutating func write() throws(DiskImageError) -> (header: QcowHeader, end: UInt64) {
        let (changedBlocks, needed) = try completeStructure()
        let bits = UInt64(geometry.clusterBits)
        let perBlock = header.refcountsPerBlock
        for index in blocks.keys.sorted() {
            guard let offset = blocks[index] else { continue }
            // Nothing to count, and nothing counted so far.
            if !needed.contains(index), try isHole(offset) { continue }
            var block = [UInt8](repeating: 0, count: Int(geometry.clusterSize))
            for entry in 0..<perBlock {
                let cluster = index * perBlock + entry
                guard cluster < QcowLimit.fileSize >> bits else { break }
                let count = references.count(at: cluster << bits)
                if count == 0 { continue }
                guard Self.store(count, in: &block, Int(entry), order: header.refcountOrder) else {
                    throw .tooLarge(
                        "number of references to a cluster", value: count, limit: UInt64(1) << header.refcountOrder)
                }
            }
            try file.write(block, at: offset)
        }
        guard changedBlocks else { return (header, references.end) }
        var table = [UInt8](repeating: 0, count: Int(UInt64(header.refcountTableClusters) * geometry.clusterSize))
        for (index, offset) in blocks {
            table.replaceSubrange(Int(index * 8)..<Int(index * 8 + 8), with: offset.bigEndianBytes)
        }
        try file.write(table, at: header.refcountTableOffset)
        try file.synchronize()
        let fields = header.refcountTableOffset.bigEndianBytes + header.refcountTableClusters.bigEndianBytes
        try file.write(fields, at: QcowHeader.Field.refcountTable)
        return (header, references.end)
    }

    /// Adds blocks, and a larger table, until every cluster in use has a refcount, those of the additions included.
    /// - Returns: Whether the table changes, and the indexes of the blocks that count something.
    private mutating func completeStructure() throws(DiskImageError) -> (hasChanged: Bool, needed: Set<UInt64>) {
        var hasChanged = !findings.isEmpty
        let perBlock = header.refcountsPerBlock
        if !tableIsUsable { try moveTable(entries: 0) }
        while true {
            var needed: [UInt64] = []
            var last: UInt64?
            try references.forEachCluster { cluster throws(DiskImageError) in
                let index = cluster / perBlock
                if index != last { needed.append(index) }
                last = index
            }
            let capacity = UInt64(header.refcountTableClusters) * geometry.entriesPerTable
            if let highest = needed.last, highest >= capacity {
                try moveTable(entries: highest + 1)
                hasChanged = true
                continue
            }
            let missing = needed.filter { blocks[$0] == nil }
            if missing.isEmpty { return (hasChanged, Set(needed)) }
            hasChanged = true
            for index in missing {
                let offset = references.end
                _ = try references.addOwner(at: offset)
                blocks[index] = offset
            }
        }
    }

    /// Gives the table a new place behind everything in use, with room for half as many entries again.
    private mutating func moveTable(entries: UInt64) throws(DiskImageError) {
        if tableIsUsable {
            for index in 0..<UInt64(header.refcountTableClusters) {
                references.removeOwner(at: header.refcountTableOffset + index * geometry.clusterSize)
            }
        }
        tableIsUsable = true
        let clusters = geometry.clusterCount((entries + entries / 2 + 1) * 8)
        guard clusters * geometry.clusterSize <= QcowLimit.refcountTable else {
            throw .tooLarge(
                "refcount table in bytes", value: clusters * geometry.clusterSize, limit: QcowLimit.refcountTable)
        }
        header.refcountTableOffset = references.end
        header.refcountTableClusters = UInt32(clusters)
        for index in 0..<clusters {
            _ = try references.addOwner(at: header.refcountTableOffset + index * geometry.clusterSize)
        }
    }

    // MARK: Refcounts of all widths

    /// Widths below a byte start at the least significant bit; wider ones are big-endian.
    static func load(_ block: [UInt8], _ index: Int, order: UInt32) -> UInt64 {
        let bits = 1 << Int(order)
        if bits < 8 {
            let byte = block[index * bits / 8]
            return UInt64(byte >> UInt8(index * bits % 8)) & (1 << UInt64(bits) - 1)
        }
        let size = bits / 8
        return block[(index * size)..<((index + 1) * size)].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// - Returns: Whether the value fits.
    static func store(_ value: UInt64, in block: inout [UInt8], _ index: Int, order: UInt32) -> Bool {
        let bits = 1 << Int(order)
        guard bits == 64 || value >> UInt64(bits) == 0 else { return false }
        if bits < 8 {
            let shift = UInt8(index * bits % 8)
            block[index * bits / 8] |= UInt8(truncatingIfNeeded: value) << shift
            return true
        }
        let size = bits / 8
        for byte in 0..<size {
            block[index * size + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (size - 1 - byte)))
        }
        return true
    }
}
