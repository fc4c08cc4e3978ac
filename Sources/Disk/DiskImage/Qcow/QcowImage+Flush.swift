import LinuxSystem

extension QcowImage {
    func flush() throws(DiskImageError) {
        lock.lock()
        defer { lock.unlock() }
        if isClosed { throw .closed }
        if isReadOnly { return }
        if hasFailed { throw .failedBefore }
        if slices.dirtyCount == 0, dirtyLevel1.isEmpty, !isFlushing {
            // Nothing but data. Others may go on meanwhile.
            lock.unlock()
            defer { lock.lock() }
            return try synchronizeOrFail()
        }
        try flushTables()
    }

    /// Writes all tables that changed, each after what it points at. Called under the lock, which it gives up
    /// meanwhile.
    func flushTables() throws(DiskImageError) {
        while isFlushing { lock.wait() }
        if hasFailed { throw .failedBefore }
        isFlushing = true
        defer {
            isFlushing = false
            lock.broadcast()
        }
        let needsMark = !isMarkedDirty && (slices.dirtyCount > 0 || !dirtyLevel1.isEmpty)
        do throws(DiskImageError) {
            // Nobody changes a table while `isFlushing`, so they may be written without the lock.
            lock.unlock()
            defer { lock.lock() }
            if needsMark { try writeDirtyMark(true) }
            try file.synchronize()
            if try writeSlices() { try file.synchronize() }
            if try writeLevel1() { try file.synchronize() }
        } catch {
            // A full file system refuses what is written to it, and what was to be written stays to be written.
            // Whatever it says when it is to keep what it had accepted, that is lost.
            if !error.isFullFileSystem || file.mayHaveLostWrites { hasFailed = true }
            throw error
        }
        if needsMark { noteDirtyMark(true) }
        slices.markAllClean()
        dirtyLevel1.removeAll(keepingCapacity: true)
    }

    private func synchronizeOrFail() throws(DiskImageError) {
        do { try file.synchronize() } catch {
            lock.lock()
            hasFailed = true
            lock.unlock()
            throw error
        }
    }

    /// Sets or removes the mark that refcounts are not kept, and with it every auto-clear bit. ``noteDirtyMark(_:)``
    /// follows.
    func writeDirtyMark(_ isDirty: Bool) throws(DiskImageError) {
        var features = header.incompatible
        if isDirty { features.insert(.dirty) } else { features.remove(.dirty) }
        if header.autoclear != 0 { try file.write(UInt64(0).bigEndianBytes, at: QcowHeader.Field.autoclear) }
        try file.write(features.rawValue.bigEndianBytes, at: QcowHeader.Field.incompatible)
    }

    /// Remembers what ``writeDirtyMark(_:)`` wrote. Under the lock.
    func noteDirtyMark(_ isDirty: Bool) {
        if isDirty { header.incompatible.insert(.dirty) } else { header.incompatible.remove(.dirty) }
        header.autoclear = 0
        isMarkedDirty = isDirty
    }

    private func writeSlices() throws(DiskImageError) -> Bool {
        var next = slices.nextDirty(from: 0)
        let hasAny = next != nil
        while let (slot, slice) = next {
            guard let offset = try fileOffset(ofSlice: slice) else {
                throw .corrupt(.level1Table, offset: header.level1Offset)
            }
            try unsafe file.write(UnsafeRawBufferPointer(slices.bytes(of: slot)), at: offset)
            next = slices.nextDirty(from: slot + 1)
        }
        return hasAny
    }

    private func writeLevel1() throws(DiskImageError) -> Bool {
        for index in dirtyLevel1 {
            try file.write(level1[index].bigEndianBytes, at: header.level1Offset + UInt64(index) * 8)
        }
        return !dirtyLevel1.isEmpty
    }
}
