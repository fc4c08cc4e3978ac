/// What a run of the disk's bytes is, according to one image's tables.
struct Mapping {
    enum Kind: Equatable {
        /// May be overwritten in place.
        case data
        /// Somebody else may refer to the same cluster.
        case sharedData
        case compressed(count: UInt64)
        case zero
        case unallocated
    }
    var kind: Kind
    /// Where the run's first byte is in the file (for compressed clusters: where the compressed bytes begin).
    var host: UInt64
    /// In bytes.
    var count: UInt64
}

extension QcowImage {
    /// What the bytes from `offset` on are, at most `limit` of them and at most to the end of a slice. Under the lock.
    func mapping(at offset: UInt64, limit: UInt64) throws(DiskImageError) -> Mapping {
        let bits = UInt64(geometry.clusterBits)
        let cluster = offset >> bits
        let within = offset & (geometry.clusterSize - 1)
        let firstIndex = Int(cluster % slices.entriesPerSlice)
        let sliceEnd = (cluster - UInt64(firstIndex) + slices.entriesPerSlice) << bits
        guard let slot = try slot(forSlice: cluster / slices.entriesPerSlice) else {
            return Mapping(kind: .unallocated, host: 0, count: min(limit, sliceEnd - offset))
        }
        let first = try decode(slices.entry(firstIndex, in: slot), at: cluster)
        var count = geometry.clusterSize - within
        if case .compressed(let host, let bytes) = first {
            return Mapping(kind: .compressed(count: bytes), host: host, count: min(limit, count))
        }
        // The entries that continue this one.
        var index = firstIndex + 1
        while count < limit, index < slices.entriesPerSlice {
            let next = try decode(slices.entry(index, in: slot), at: cluster + UInt64(index - firstIndex))
            guard continues(first, next, distance: UInt64(index - firstIndex)) else { break }
            count += geometry.clusterSize
            index += 1
        }
        count = min(count, limit)
        return switch first {
        case .unallocated: Mapping(kind: .unallocated, host: 0, count: count)
        case .zero: Mapping(kind: .zero, host: 0, count: count)
        case .data(let host, let exclusive):
            Mapping(kind: exclusive ? .data : .sharedData, host: host + within, count: count)
        case .compressed(let host, let bytes): Mapping(kind: .compressed(count: bytes), host: host, count: count)
        }
    }

    private func continues(_ first: ClusterEntry, _ next: ClusterEntry, distance: UInt64) -> Bool {
        switch (first, next) {
        case (.unallocated, .unallocated), (.zero, .zero): true
        case (.data(let host, let exclusive), .data(let nextHost, let nextExclusive)):
            exclusive == nextExclusive && nextHost == host + distance << UInt64(geometry.clusterBits)
        default: false
        }
    }

    /// Reads an entry and checks that it stays inside the file.
    private func decode(_ raw: UInt64, at cluster: UInt64) throws(DiskImageError) -> ClusterEntry {
        guard let entry = ClusterEntry(raw, geometry: geometry, version: version) else {
            throw markCorrupt(.level2Table, offset: entryOffset(of: cluster))
        }
        switch entry {
        case .unallocated, .zero: return entry
        case .data(let host, _):
            guard host < allocationEnd else { throw markCorrupt(.dataCluster, offset: entryOffset(of: cluster)) }
        case .compressed(let host, _):
            guard host < allocationEnd else { throw markCorrupt(.compressedCluster, offset: entryOffset(of: cluster)) }
        }
        return entry
    }

    /// Takes no more writes, and says so in the header: a table that was sound when the image was opened is not any
    /// more. Under the lock.
    private func markCorrupt(_ structure: QcowStructure, offset: UInt64) -> DiskImageError {
        if file.isWritable, !hasFailed {
            hasFailed = true
            header.incompatible.insert(.corrupt)
            // Best effort: the error itself is on its way to whoever asked.
            try? file.write(header.incompatible.rawValue.bigEndianBytes, at: QcowHeader.Field.incompatible)
        }
        return .corrupt(structure, offset: offset)
    }

    /// Where a cluster's L2 entry is in the file, for messages.
    private func entryOffset(of cluster: UInt64) -> UInt64 {
        let table = Int(cluster / geometry.entriesPerTable)
        guard table < level1.count else { return 0 }
        return level1[table] & ClusterEntry.offsetMask + cluster % geometry.entriesPerTable * 8
    }

    /// Where a slice is in the file; nil if its table does not exist yet. Under the lock.
    func fileOffset(ofSlice slice: UInt64) throws(DiskImageError) -> UInt64? {
        let slicesPerTable = geometry.entriesPerTable / slices.entriesPerSlice
        guard let index = Int(exactly: slice / slicesPerTable), index < level1.count else { return nil }
        let raw = level1[index]
        if raw == 0 { return nil }
        let table = raw & ClusterEntry.offsetMask
        guard raw & ClusterEntry.level1ReservedMask == 0, geometry.isAligned(table), table < allocationEnd else {
            throw markCorrupt(.level1Table, offset: header.level1Offset + UInt64(index) * 8)
        }
        if table == 0 { return nil }
        return table + slice % slicesPerTable * UInt64(slices.sliceBytes)
    }

    /// The slot with a slice, loaded if need be; nil if its table does not exist. Under the lock.
    func slot(forSlice slice: UInt64) throws(DiskImageError) -> Int? {
        if let slot = slices.find(slice) { return slot }
        guard let offset = try fileOffset(ofSlice: slice) else { return nil }
        while true {
            if let slot = slices.replace(for: slice) {
                do {
                    try unsafe file.read(into: slices.bytes(of: slot), at: offset)
                } catch {
                    slices.discard(slot)
                    throw error
                }
                return slot
            }
            // Every slot that could hold it waits to be written.
            try flushTables()
            if let slot = slices.find(slice) { return slot }
        }
    }
}
