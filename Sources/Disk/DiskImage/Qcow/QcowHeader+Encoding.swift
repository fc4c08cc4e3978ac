extension QcowHeader {
    /// The header as an image's first cluster holds it, padded with zeroes to a whole cluster.
    /// - Throws: If extensions and backing name do not fit.
    func encoded() throws(DiskImageError) -> [UInt8] {
        let name = Array((backingName ?? "").utf8)
        guard name.count <= QcowLimit.backingName else { throw .backingNameTooLong(name.count) }
        var extensionBytes: [UInt8] = []
        for item in extensions {
            extensionBytes += item.type.bigEndianBytes + UInt32(item.data.count).bigEndianBytes + item.data
            extensionBytes += [UInt8](repeating: 0, count: (8 - item.data.count % 8) % 8)
        }
        extensionBytes += [UInt8](repeating: 0, count: 8)
        let nameOffset = Int(headerLength) + extensionBytes.count
        guard nameOffset + name.count <= geometry.clusterSize else { throw .backingNameTooLong(name.count) }

        var bytes: [UInt8] = Self.magic.bigEndianBytes + version.bigEndianBytes
        bytes += (name.isEmpty ? UInt64(0) : UInt64(nameOffset)).bigEndianBytes + UInt32(name.count).bigEndianBytes
        bytes += geometry.clusterBits.bigEndianBytes + size.bigEndianBytes + UInt32(0).bigEndianBytes
        bytes += level1Count.bigEndianBytes + level1Offset.bigEndianBytes
        bytes += refcountTableOffset.bigEndianBytes + refcountTableClusters.bigEndianBytes
        bytes += snapshotCount.bigEndianBytes + snapshotsOffset.bigEndianBytes
        if version >= 3 {
            bytes +=
                incompatible.rawValue.bigEndianBytes + compatible.rawValue.bigEndianBytes + autoclear.bigEndianBytes
            bytes += refcountOrder.bigEndianBytes + headerLength.bigEndianBytes
            if headerLength > 104 { bytes.append(compression == .zstd ? 1 : 0) }
        }
        bytes += [UInt8](repeating: 0, count: max(0, Int(headerLength) - bytes.count))
        bytes += extensionBytes + name
        return bytes + [UInt8](repeating: 0, count: Int(geometry.clusterSize) - bytes.count)
    }

    /// The names of the features that wander's images may use, for programs that do not know them.
    static let featureNameTable: Extension = {
        let names: [(kind: UInt8, bit: UInt8, name: String)] = [
            (0, 0, "dirty bit"), (0, 1, "corrupt bit"), (0, 3, "compression type"), (1, 0, "lazy refcounts"),
        ]
        let data = names.flatMap { entry in
            [entry.kind, entry.bit] + Array(entry.name.utf8) + [UInt8](repeating: 0, count: 46 - entry.name.utf8.count)
        }
        return Extension(type: Extension.featureNames, data: data)
    }()
}
