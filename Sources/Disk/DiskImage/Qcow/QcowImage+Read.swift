import LinuxSystem

extension QcowImage {
    func read(into segments: BlockSegments, at offset: UInt64) throws(DiskImageError) {
        let total = try unsafe begin(segments, at: offset, writing: false)
        var cursor = unsafe SegmentCursor(segments)
        var done = 0
        while done < total {
            let position = offset + UInt64(done)
            let mapping = try lockedMapping(at: position, limit: UInt64(total - done))
            let count = Int(mapping.count)
            switch mapping.kind {
            case .data, .sharedData: try file.read(&cursor, count: count, at: mapping.host)
            case .zero: cursor.zero(count)
            case .unallocated: try readBacking(&cursor, count: count, at: position)
            case .compressed(let compressedCount):
                try readCompressed(
                    &cursor, count: count, within: Int(position & (geometry.clusterSize - 1)), mapping.host,
                    compressedCount)
            }
            done += count
        }
    }

    func lockedMapping(at offset: UInt64, limit: UInt64) throws(DiskImageError) -> Mapping {
        lock.lock()
        defer { lock.unlock() }
        return try mapping(at: offset, limit: limit)
    }

    /// Reads what the images behind this one hold; zeroes where they end.
    private func readBacking(_ cursor: inout SegmentCursor, count: Int, at offset: UInt64) throws(DiskImageError) {
        var rest = count
        if let backing, offset < backing.virtualSize {
            let present = Int(min(UInt64(count), backing.virtualSize - offset))
            try unsafe cursor.forEachList(count: present) { segments, before throws(DiskImageError) in
                try unsafe backing.read(into: segments, at: offset + UInt64(before))
            }
            rest -= present
        }
        cursor.zero(rest)
    }

    private func readCompressed(
        _ cursor: inout SegmentCursor, count: Int, within: Int, _ host: UInt64, _ compressedCount: UInt64
    ) throws(DiskImageError) {
        var target = cursor
        try withScratch(decompressed: host) { scratch throws(DiskImageError) in
            try decompress(host, compressedCount, into: scratch)
            unsafe target.copy(from: UnsafeRawBufferPointer(rebasing: scratch.cluster[within..<(within + count)]))
        }
        cursor = target
    }

    /// Puts the content of a compressed cluster into `scratch.cluster`.
    func decompress(_ host: UInt64, _ count: UInt64, into scratch: RequestScratch) throws(DiskImageError) {
        // Compressed bytes are never overwritten or moved while the image is open.
        if scratch.decompressedHost == host { return }
        let bytes = unsafe scratch.compressedBytes(count: Int(count))
        let present = try unsafe file.read(into: bytes, at: host)
        let isWhole = try unsafe scratch.decompress(
            UnsafeRawBufferPointer(rebasing: bytes[..<present]), compression)
        // An error for this request alone. The tables that lead here are sound: nothing is known against the rest of
        // the image, which is why it is not marked and the disk stays writable, as with QEMU.
        guard isWhole else { throw .corrupt(.compressedCluster, offset: host) }
        scratch.decompressedHost = host
    }
}
