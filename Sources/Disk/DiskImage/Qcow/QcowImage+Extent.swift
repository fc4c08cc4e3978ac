extension QcowImage {
    func extent(at offset: UInt64) throws(DiskImageError) -> BlockExtent {
        try begin(at: offset, count: 1, writing: false)
        let mapping = try lockedMapping(at: offset, limit: diskSize - offset)
        switch mapping.kind {
        case .zero: return BlockExtent(offset: offset, count: mapping.count, kind: .zero, depth: 0)
        case .compressed: return BlockExtent(offset: offset, count: mapping.count, kind: .compressed, depth: 0)
        case .data, .sharedData:
            // A cluster that was cleared in place is a hole in the file.
            let (isData, count) = try file.run(at: mapping.host, limit: mapping.count)
            return BlockExtent(
                offset: offset, count: count, kind: isData ? .data : .zero, depth: 0,
                fileOffset: isData ? mapping.host : nil)
        case .unallocated:
            guard let backing else { return BlockExtent(offset: offset, count: mapping.count, kind: .zero) }
            let end = backing.virtualSize
            guard offset < end else { return BlockExtent(offset: offset, count: mapping.count, kind: .zero) }
            var extent = try backing.extent(at: offset)
            extent.count = min(extent.count, mapping.count)
            extent.depth = extent.depth.map { $0 + 1 }
            return extent
        }
    }
}
