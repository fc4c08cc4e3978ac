/// How often each cluster of an image's file is referred to. Takes memory only where there are references.
struct ReferenceMap {
    /// Clusters with one owner, which may not be shared, have this bit set.
    private static let exclusive: UInt16 = 0x8000
    private static let pageBits: UInt64 = 12
    /// 8 KiB each: 256 MiB, or 8 TiB of densely used clusters of 64 KiB.
    private static let pageLimit = 32_768

    private var pages: [[UInt16]] = []
    private var pageIndexes: [UInt64: Int] = [:]
    private var lastPage: (number: UInt64, index: Int)?
    private let clusterBits: UInt64
    /// Behind the last cluster that is referred to, in bytes.
    private(set) var end: UInt64 = 0

    init(geometry: ClusterGeometry) { clusterBits = UInt64(geometry.clusterBits) }

    enum Outcome { case added, overlap }

    private mutating func pageIndex(_ number: UInt64) throws(DiskImageError) -> Int {
        if let lastPage, lastPage.number == number { return lastPage.index }
        let index: Int
        if let present = pageIndexes[number] {
            index = present
        } else {
            guard pages.count < Self.pageLimit else {
                throw .tooLarge(
                    "number of clusters in use", value: UInt64(pages.count) << 12, limit: UInt64(Self.pageLimit) << 12)
            }
            index = pages.count
            pages.append([UInt16](repeating: 0, count: 1 << Int(Self.pageBits)))
            pageIndexes[number] = index
        }
        lastPage = (number, index)
        return index
    }

    /// Adds the one owner of the cluster at `offset`.
    mutating func addOwner(at offset: UInt64) throws(DiskImageError) -> Outcome {
        let cluster = offset >> clusterBits
        let page = try pageIndex(cluster >> Self.pageBits)
        let slot = Int(cluster & (1 << Self.pageBits - 1))
        guard pages[page][slot] == 0 else { return .overlap }
        pages[page][slot] = Self.exclusive | 1
        end = max(end, (cluster + 1) << clusterBits)
        return .added
    }

    /// Adds one of perhaps several users of the clusters that `count` compressed bytes at `offset` touch.
    mutating func addShared(at offset: UInt64, count: UInt64) throws(DiskImageError) -> Outcome {
        let first = offset >> clusterBits
        let last = (offset + max(count, 1) - 1) >> clusterBits
        for cluster in first...last {
            let page = try pageIndex(cluster >> Self.pageBits)
            let slot = Int(cluster & (1 << Self.pageBits - 1))
            let value = pages[page][slot]
            guard value & Self.exclusive == 0, value < Self.exclusive - 1 else { return .overlap }
            pages[page][slot] = value + 1
            end = max(end, (cluster + 1) << clusterBits)
        }
        return .added
    }

    /// Takes a cluster's owner away.
    mutating func removeOwner(at offset: UInt64) {
        let cluster = offset >> clusterBits
        guard let page = pageIndexes[cluster >> Self.pageBits] else { return }
        pages[page][Int(cluster & (1 << Self.pageBits - 1))] = 0
    }

    func count(at offset: UInt64) -> UInt64 {
        let cluster = offset >> clusterBits
        guard let page = pageIndexes[cluster >> Self.pageBits] else { return 0 }
        return UInt64(pages[page][Int(cluster & (1 << Self.pageBits - 1))] & ~Self.exclusive)
    }

    /// The numbers of all clusters that are referred to, in order of pages; in order inside each.
    func forEachCluster(_ body: (UInt64) throws(DiskImageError) -> Void) throws(DiskImageError) {
        for number in pageIndexes.keys.sorted() {
            guard let page = pageIndexes[number] else { continue }
            for slot in 0..<(1 << Int(Self.pageBits)) where pages[page][slot] != 0 {
                try body(number << Self.pageBits | UInt64(slot))
            }
        }
    }
}
