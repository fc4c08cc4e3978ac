import DiskImage
import LinuxSystem
import Reporting
import SystemPackage

extension Machine {
    /// Makes one layer of two wherever nothing tells them apart any more: no snapshot ends at the lower one, and
    /// nothing stands on it but the upper one. A machine that runs goes on with the two, whose files it has open.
    func mergeLayers(_ record: inout MachineRecord) throws {
        while let pair = Self.mergeable(record.layerChains) {
            let merged = randomIdentifier()
            try merge(pair, of: record, into: folder.layer(merged))
            // In one step for all that stands on them. The images above still name the old one: to other tools alone.
            func replaced(_ chain: [String]) -> [String] {
                guard let place = chain.firstIndex(of: pair.upper) else { return chain }
                return chain[..<place] + [merged] + chain[(place + 2)...]
            }
            record.layers = replaced(record.layers)
            record.snapshots = record.snapshots.map { snapshot in
                var snapshot = snapshot
                snapshot.layers = replaced(snapshot.layers)
                return snapshot
            }
            try project.store.save(&record)
            try removeUnusedLayers(record)
        }
    }

    private func merge(
        _ pair: (upper: String, lower: String), of record: MachineRecord, into target: FilePath
    ) throws {
        guard let chain = record.layerChains.first(where: { $0.contains(pair.upper) }),
            let place = chain.firstIndex(of: pair.upper), let base = try layersBelow(record).last
        else { return }
        let layers = chain[place...].map { ownLayer(folder.layer($0)) } + [base]
        let disk = try DiskImage.open(layers, access: .readOnly)
        defer { try? disk.close() }
        let below = try DiskImage.open(Array(layers.dropFirst(2)), access: .readOnly)
        defer { try? below.close() }
        let label = "joining two layers"
        defer { report(.finished(label: label)) }
        try DiskImage.difference(of: disk, from: below, sharedDepth: 2, to: target) {
            done, total throws(DiskImageError) in
            if project.cancellation.isRequested { throw .interrupted }
            report(.progress(Progress(label, completed: done, total: total)))
        }
    }

    /// Two layers of `chains`, each with its uppermost first, that may be one.
    static func mergeable(_ chains: [[String]]) -> (upper: String, lower: String)? {
        let tops = Set(chains.compactMap(\.first))
        var above: [String: Set<String>] = [:]
        for chain in chains {
            for (upper, lower) in zip(chain, chain.dropFirst()) { above[lower, default: []].insert(upper) }
        }
        for chain in chains {
            for (upper, lower) in zip(chain, chain.dropFirst()) where !tops.contains(lower) && above[lower]?.count == 1
            {
                return (upper, lower)
            }
        }
        return nil
    }
}

extension MachineRecord {
    /// What the disk and what each snapshot stands on.
    var layerChains: [[String]] { [layers] + snapshots.map(\.layers) }
}
