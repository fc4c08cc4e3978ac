extension BlockStorage {
    /// Calls `body` for each run of the disk in order; neighbours that continue each other come as one.
    public func forEachExtent(_ body: (BlockExtent) throws(DiskImageError) -> Void) throws(DiskImageError) {
        var pending: BlockExtent?
        var offset: UInt64 = 0
        let end = virtualSize
        while offset < end {
            let next = try extent(at: offset)
            // An extent is never empty; if one were, this would not end.
            guard next.count > 0 else { throw .outOfRange(offset: offset, count: 0, size: end) }
            offset += next.count
            if var current = pending {
                if current.isContinued(by: next) {
                    current.count += next.count
                    pending = current
                    continue
                }
                try body(current)
            }
            pending = next
        }
        if let pending { try body(pending) }
    }

    /// The runs of the disk that are stored anywhere in its chain, without the zeroes between them, in order.
    public func allocatedExtents() throws(DiskImageError) -> [BlockExtent] {
        var extents: [BlockExtent] = []
        try forEachExtent { extent throws(DiskImageError) in
            if extent.kind != .zero { extents.append(extent) }
        }
        return extents
    }
}

extension BlockExtent {
    fileprivate func isContinued(by next: BlockExtent) -> Bool {
        guard kind == next.kind, depth == next.depth, offset + count == next.offset else { return false }
        switch (fileOffset, next.fileOffset) {
        case (nil, nil): return true
        case (let here?, let there?): return here + count == there
        default: return false
        }
    }
}
