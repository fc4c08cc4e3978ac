import LinuxSystem

/// What a write does with its next bytes.
private enum WriteStep {
    /// Overwrite `count` bytes at `host`.
    case inPlace(host: UInt64, count: Int)
    /// Fill clusters that were just taken at `host`, then enter them into the table.
    case fresh(ClusterRun, host: UInt64, count: Int, source: CopySource)
}

/// The source of those bytes in a fresh cluster that the write itself does not have.
enum CopySource: Equatable {
    /// From nowhere: they are zero, as the fresh cluster is.
    case none
    case backing
    case cluster(host: UInt64)
    case compressed(host: UInt64, count: UInt64)
}

extension QcowImage {
    func write(from segments: BlockSegments, at offset: UInt64) throws(DiskImageError) {
        let total = try unsafe begin(segments, at: offset, writing: true)
        var cursor = unsafe SegmentCursor(segments)
        try write(&cursor, count: total, at: offset)
    }

    func write(_ cursor: inout SegmentCursor, count total: Int, at offset: UInt64) throws(DiskImageError) {
        var done = 0
        while done < total {
            let position = offset + UInt64(done)
            switch try planWrite(at: position, limit: total - done) {
            case .inPlace(let host, let count):
                try file.write(&cursor, count: count, at: host)
                done += count
            case .fresh(let run, let host, let count, let source):
                do {
                    try fill(run, host: host, from: &cursor, count: count, at: position, source)
                    try publish(run) { index in ClusterEntry.data(at: host + index << UInt64(geometry.clusterBits)) }
                } catch {
                    abandon(run)
                    throw error
                }
                done += count
            }
        }
    }

    private func planWrite(at position: UInt64, limit: Int) throws(DiskImageError) -> WriteStep {
        let bits = UInt64(geometry.clusterBits)
        lock.lock()
        defer { lock.unlock() }
        while true {
            let mapping = try mapping(at: position, limit: UInt64(limit))
            if mapping.kind == .data { return .inPlace(host: mapping.host, count: Int(mapping.count)) }
            let within = position & (geometry.clusterSize - 1)
            let wanted = ClusterRun(first: position >> bits, count: (within + mapping.count - 1) >> bits + 1)
            guard let run = claim(wanted) else {
                lock.wait()
                continue
            }
            do throws(DiskImageError) {
                let host = try allocate(clusters: run.count)
                let count = min(Int(mapping.count), Int(run.count << bits - within))
                return .fresh(run, host: host, count: count, source: copySource(mapping, run))
            } catch {
                release(run)
                throw error
            }
        }
    }

    private func copySource(_ mapping: Mapping, _ run: ClusterRun) -> CopySource {
        switch mapping.kind {
        case .data, .zero: .none
        case .sharedData: .cluster(host: geometry.roundDown(mapping.host))
        case .compressed(let count): .compressed(host: mapping.host, count: count)
        case .unallocated:
            backing.map { run.first << UInt64(geometry.clusterBits) < $0.virtualSize } == true ? .backing : .none
        }
    }

    /// Marks clusters as under way, as many of `wanted` as nobody else has marked. Under the lock.
    /// - Returns: nil if the first one is under way already; then wait and look again.
    func claim(_ wanted: ClusterRun) -> ClusterRun? {
        var run = wanted
        for other in underWay where other.overlaps(run) {
            guard other.first > run.first else { return nil }
            run.count = other.first - run.first
        }
        underWay.append(run)
        return run
    }

    /// Under the lock.
    func release(_ run: ClusterRun) {
        if let index = underWay.firstIndex(of: run) {
            underWay.swapAt(index, underWay.count - 1)
            underWay.removeLast()
        }
        lock.broadcast()
    }

    /// Takes clusters from behind everything in use; they read as zeroes. Under the lock.
    func allocate(clusters count: UInt64) throws(DiskImageError) -> UInt64 {
        let host = allocationEnd
        let end = host + count << UInt64(geometry.clusterBits)
        guard end <= QcowLimit.fileSize else { throw .tooLarge("file", value: end, limit: QcowLimit.fileSize) }
        // What a crash left behind the last cluster goes away first, so that the file grows by zeroes only.
        if !isTailZero, fileSize > host {
            try file.truncate(to: host)
            fileSize = host
        }
        isTailZero = true
        if end > fileSize {
            // In large steps, because each one is a change of metadata for the host's file system.
            let target = max(end, host + Self.growthStep)
            try file.truncate(to: target)
            fileSize = target
        }
        allocationEnd = end
        return host
    }

    /// In bytes.
    private static let growthStep: UInt64 = 4 << 20

    // MARK: Filling fresh clusters

    private func fill(
        _ run: ClusterRun, host: UInt64, from cursor: inout SegmentCursor, count: Int, at position: UInt64,
        _ source: CopySource
    ) throws(DiskImageError) {
        let clusterSize = Int(geometry.clusterSize)
        let within = Int(position & (geometry.clusterSize - 1))
        if source == .none { return try file.write(&cursor, count: count, at: host + UInt64(within)) }
        var place = host
        var cluster = run.first
        var rest = count
        var start = within
        if start > 0 || rest < clusterSize {
            let part = min(rest, clusterSize - start)
            try fillCluster(cluster, host: place, from: &cursor, start..<(start + part), source)
            (place, cluster, rest, start) = (place + UInt64(clusterSize), cluster + 1, rest - part, 0)
        }
        let whole = rest / clusterSize * clusterSize
        if whole > 0 {
            try file.write(&cursor, count: whole, at: place)
            (place, cluster, rest) = (place + UInt64(whole), cluster + UInt64(whole / clusterSize), rest - whole)
        }
        if rest > 0 {
            try fillCluster(
                cluster, host: place, from: &cursor, 0..<rest, source.advanced(to: cluster, in: run, geometry))
        }
    }

    /// Writes one whole cluster: `part` of it from the request, the rest from where it was before.
    private func fillCluster(
        _ cluster: UInt64, host: UInt64, from cursor: inout SegmentCursor, _ part: Range<Int>, _ source: CopySource
    ) throws(DiskImageError) {
        var request = cursor
        try withScratch { scratch throws(DiskImageError) in
            if case .backing = source, try backingIsZero(cluster) {
                return try file.write(&request, count: part.count, at: host + UInt64(part.lowerBound))
            }
            try load(cluster, source, into: scratch)
            scratch.decompressedHost = 0
            unsafe request.copy(to: UnsafeMutableRawBufferPointer(rebasing: scratch.cluster[part]))
            try unsafe file.write(UnsafeRawBufferPointer(scratch.cluster), at: host)
        }
        cursor = request
    }

    /// Whether the images behind this one say, without reading data, that a cluster is zero.
    private func backingIsZero(_ cluster: UInt64) throws(DiskImageError) -> Bool {
        guard let backing = backing as? QcowImage else { return false }
        let start = cluster << UInt64(geometry.clusterBits)
        guard start < backing.virtualSize else { return true }
        return try backing.isKnownZero(at: start, count: min(geometry.clusterSize, backing.virtualSize - start))
    }

    /// Whether tables alone show that a range reads as zeroes.
    func isKnownZero(at offset: UInt64, count: UInt64) throws(DiskImageError) -> Bool {
        let mapping = try lockedMapping(at: offset, limit: count)
        guard mapping.count == count else { return false }
        switch mapping.kind {
        case .zero: return true
        case .unallocated:
            guard let backing else { return true }
            guard offset < backing.virtualSize else { return true }
            return try (backing as? QcowImage)?.isKnownZero(at: offset, count: min(count, backing.virtualSize - offset))
                ?? false
        case .data, .sharedData, .compressed: return false
        }
    }

    private func load(_ cluster: UInt64, _ source: CopySource, into scratch: RequestScratch) throws(DiskImageError) {
        let target = unsafe scratch.cluster
        switch source {
        case .none: unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
        case .cluster(let host): try unsafe file.read(into: target, at: host)
        case .compressed(let host, let count): try decompress(host, count, into: scratch)
        case .backing:
            scratch.decompressedHost = 0
            let start = cluster << UInt64(geometry.clusterBits)
            let size = backing?.virtualSize ?? 0
            let present = start < size ? Int(min(geometry.clusterSize, size - start)) : 0
            if present > 0 {
                try unsafe backing?.read(into: UnsafeMutableRawBufferPointer(rebasing: target[..<present]), at: start)
            }
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[present...]).initializeMemory(
                as: UInt8.self, repeating: 0)
        }
    }

    // MARK: Entering clusters into tables

    /// Sets the L2 entries of a run that lies in one slice, and takes the run out of `underWay`.
    func publish(_ run: ClusterRun, _ entry: (UInt64) -> UInt64) throws(DiskImageError) {
        lock.lock()
        defer { lock.unlock() }
        while isFlushing { lock.wait() }
        if hasFailed { throw .failedBefore }
        let slot = try slotForChange(ofSlice: run.first / slices.entriesPerSlice)
        let first = Int(run.first % slices.entriesPerSlice)
        for index in 0..<run.count { slices.setEntry(first + Int(index), in: slot, to: entry(index)) }
        release(run)
    }

    /// Gives up on clusters that could not be filled. Their room in the file is lost until the image is next opened.
    func abandon(_ run: ClusterRun) {
        lock.lock()
        defer { lock.unlock() }
        release(run)
    }

    /// The slot of a slice, whose table is made if it does not exist. Under the lock, while nobody flushes.
    private func slotForChange(ofSlice slice: UInt64) throws(DiskImageError) -> Int {
        if let slot = try slot(forSlice: slice) { return slot }
        let index = Int(slice / (geometry.entriesPerTable / slices.entriesPerSlice))
        guard index < level1.count else { throw .corrupt(.level1Table, offset: header.level1Offset) }
        // Fresh room at the end of the file is zero, which is a table without entries.
        let table = try allocate(clusters: 1)
        level1[index] = table | ClusterEntry.exclusiveFlag
        dirtyLevel1.append(index)
        guard let slot = try slot(forSlice: slice) else { throw .corrupt(.level1Table, offset: header.level1Offset) }
        return slot
    }
}

extension CopySource {
    /// The source of a later cluster of the same run. Only plain clusters move along with it.
    fileprivate func advanced(to cluster: UInt64, in run: ClusterRun, _ geometry: ClusterGeometry) -> CopySource {
        guard case .cluster(let host) = self else { return self }
        return .cluster(host: host + (cluster - run.first) << UInt64(geometry.clusterBits))
    }
}
