import LinuxSystem

extension QcowImage {
    func resize(to newSize: UInt64) throws(DiskImageError) {
        try begin(at: 0, count: 0, writing: true)
        let oldSize = diskSize
        guard newSize >= oldSize else { throw .cannotShrink(from: oldSize, to: newSize) }
        guard newSize <= UInt64(Int64.max) else {
            throw .tooLarge("size in bytes", value: newSize, limit: UInt64(Int64.max))
        }
        if newSize == oldSize { return }
        let count = geometry.tableCount(size: newSize)
        guard count * 8 <= QcowLimit.level1Table else {
            throw .tooLarge("L1 table in bytes", value: count * 8, limit: QcowLimit.level1Table)
        }
        try flush()
        if count > header.level1Count {
            try moveLevel1(count: count)
        } else {
            try extendLevel1(count: Int(count))
        }
        // Before the new size is on the disk, the new bytes must be zero: a longer image behind this one, or the rest
        // of the last cluster, may hold something else.
        diskSize = newSize
        do throws(DiskImageError) {
            let visibleEnd = max(backing?.virtualSize ?? 0, geometry.roundUp(oldSize))
            if visibleEnd > oldSize {
                try writeZeroes(at: oldSize, count: min(newSize, visibleEnd) - oldSize, mayUnmap: false)
            }
            try flush()
            try file.write(newSize.bigEndianBytes, at: QcowHeader.Field.size)
            try file.synchronize()
        } catch {
            diskSize = oldSize
            throw error
        }
        header.size = newSize
    }

    /// Uses more of the L1 table where it is. What another program left in those entries goes.
    private func extendLevel1(count: Int) throws(DiskImageError) {
        lock.lock()
        defer { lock.unlock() }
        let first = level1.count
        let present = try file.read(count: (count - first) * 8, at: header.level1Offset + UInt64(first) * 8)
        level1 += [UInt64](repeating: 0, count: count - first)
        for index in first..<count where loadBigEndian(present, (index - first) * 8) != 0 { dirtyLevel1.append(index) }
    }

    /// Gives the L1 table a new, larger place. The old one is lost space until refcounts are next written.
    private func moveLevel1(count: UInt64) throws(DiskImageError) {
        lock.lock()
        defer { lock.unlock() }
        let bytes = geometry.roundUp(count * 8)
        let offset = try allocate(clusters: bytes >> UInt64(geometry.clusterBits))
        let grown = level1 + [UInt64](repeating: 0, count: Int(count) - level1.count)
        try file.write(grown.flatMap(\.bigEndianBytes), at: offset)
        if !isMarkedDirty {
            try writeDirtyMark(true)
            noteDirtyMark(true)
        }
        try file.synchronize()
        try file.write(UInt32(count).bigEndianBytes + offset.bigEndianBytes, at: QcowHeader.Field.level1)
        try file.synchronize()
        level1 = grown
        header.level1Count = UInt32(count)
        header.level1Offset = offset
    }
}
