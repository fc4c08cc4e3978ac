/// The header of a qcow2 image with its extensions (qcow2 specification, "Header").
struct QcowHeader: Equatable, Sendable {
    static let magic: UInt32 = 0x5146_49fb

    struct Incompatible: OptionSet, Hashable, Sendable {
        let rawValue: UInt64
        /// Refcounts may be wrong.
        static let dirty = Self(rawValue: 1 << 0)
        static let corrupt = Self(rawValue: 1 << 1)
        static let externalDataFile = Self(rawValue: 1 << 2)
        static let compressionType = Self(rawValue: 1 << 3)
        static let extendedLevel2 = Self(rawValue: 1 << 4)
        static let supported: Self = [.dirty, .corrupt, .compressionType]
    }
    struct Compatible: OptionSet, Hashable, Sendable {
        let rawValue: UInt64
        static let lazyRefcounts = Self(rawValue: 1 << 0)
    }
    enum Compression: String, Sendable, CaseIterable {
        case deflate
        case zstd
    }
    /// A header extension as it stands in the file.
    struct Extension: Equatable, Sendable {
        static let backingFormat: UInt32 = 0xe279_2aca
        static let featureNames: UInt32 = 0x6803_f857
        var type: UInt32
        var data: [UInt8]
    }

    var version: UInt32 = 3
    var geometry = ClusterGeometry(clusterBits: 16)
    /// The disk's size, in bytes.
    var size: UInt64 = 0
    var level1Count: UInt32 = 0
    var level1Offset: UInt64 = 0
    var refcountTableOffset: UInt64 = 0
    var refcountTableClusters: UInt32 = 0
    var snapshotCount: UInt32 = 0
    var snapshotsOffset: UInt64 = 0
    var incompatible: Incompatible = []
    var compatible: Compatible = []
    var autoclear: UInt64 = 0
    /// Refcounts have 2^this bits.
    var refcountOrder: UInt32 = 4
    var headerLength: UInt32 = 112
    var compression: Compression = .deflate
    var backingName: String?
    var extensions: [Extension] = []

    /// Byte offsets of the fields that are rewritten one by one.
    enum Field {
        static let size: UInt64 = 24
        static let level1: UInt64 = 36  // The number of entries, then the offset.
        static let refcountTable: UInt64 = 48  // The offset, then the number of clusters.
        static let incompatible: UInt64 = 72
        static let autoclear: UInt64 = 88
    }

    /// What the image calls its backing file's format.
    var backingFormat: String? {
        extensions.first { $0.type == Extension.backingFormat }.map { String(decoding: $0.data, as: UTF8.self) }
    }

    /// The number of refcounts that fit into one cluster.
    var refcountsPerBlock: UInt64 { (geometry.clusterSize << 3) >> UInt64(refcountOrder) }

    /// The name that the image's own table gives an incompatible feature; its number if it gives none.
    func featureName(bit: Int) -> String {
        let table = extensions.first { $0.type == Extension.featureNames }?.data ?? []
        for start in stride(from: 0, to: table.count - 47, by: 48)
        where table[start] == 0 && Int(table[start + 1]) == bit {
            let name = table[(start + 2)..<(start + 48)].prefix { $0 != 0 }
            if !name.isEmpty { return String(decoding: name, as: UTF8.self) }
        }
        return switch bit {
        case 2: "external data file"
        case 4: "extended L2 entries"
        default: "incompatible feature bit \(bit)"
        }
    }
}
