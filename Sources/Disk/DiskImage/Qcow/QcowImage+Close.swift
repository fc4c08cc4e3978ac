import LinuxSystem

extension QcowImage {
    func close() throws(DiskImageError) {
        lock.lock()
        defer { lock.unlock() }
        if isClosed { return }
        isClosed = true
        defer { file.unlock() }
        // Whatever happens to this image, those behind it are released.
        defer { try? backing?.close() }
        guard !isReadOnly else { return }
        if hasFailed { throw .failedBefore }
        try flushTables()
        try writeRefcounts()
    }

    /// Writes exact refcounts, gives back what lies behind the last cluster, and removes the dirty mark.
    private func writeRefcounts() throws(DiskImageError) {
        if isMarkedDirty {
            let walk = try MetadataWalk(file: file, header: header, stopAtFirstFinding: true)
            if let finding = walk.findings.first { throw .corrupt(finding.structure, offset: finding.offset) }
            var tables = try RefcountTables(file: file, header: header, references: walk.references)
            let result = try tables.write()
            header = result.header
            try file.truncate(to: result.end)
            try file.synchronize()
            try writeDirtyMark(false)
            try file.synchronize()
            noteDirtyMark(false)
        } else if isTailZero {
            // Room was taken, and nothing entered into a table.
            try file.truncate(to: allocationEnd)
        }
    }
}
