import DiskImage
import LinuxSystem
import Reporting
import SystemPackage

/// Merges two layers into one where nothing needs both: no snapshot ends at the lower one, and only the upper one is
/// based on it. A running machine keeps both, since it has their files open.
struct LayerMerge {
    let machine: Machine
    let journal: MachineJournal
    private var disks: MachineDisks { MachineDisks(machine, journal.record) }

    init(_ machine: Machine, _ journal: MachineJournal) {
        self.machine = machine
        self.journal = journal
    }

    func run() throws {
        while let pair = Self.mergeable(journal.record.layerChains) {
            let merged = randomIdentifier()
            for stack in disks.stacks { try merge(pair, of: journal.record, in: stack, into: stack.file(merged)) }
            // The images above still name the old one: to other tools alone.
            try journal.write { $0.merged(pair.upper, andLower: pair.lower, into: merged) }
            try disks.removeUnused()
        }
    }

    private func merge(
        _ pair: (upper: String, lower: String), of record: MachineRecord, in stack: LayerStack, into target: FilePath
    ) throws {
        guard let chain = record.layerChains.first(where: { $0.contains(pair.upper) }),
            let place = chain.firstIndex(of: pair.upper), let base = try stack.below(record).last
        else { return }
        let layers = chain[place...].map { stack.layer(stack.file($0)) } + [base]
        let disk = try DiskImage.open(layers, access: .readOnly)
        defer { try? disk.close() }
        let below = try DiskImage.open(Array(layers.dropFirst(2)), access: .readOnly)
        defer { try? below.close() }
        let label = "joining two layers"
        defer { machine.report(.finished(label: label)) }
        try DiskImage.difference(of: disk, from: below, sharedDepth: 2, to: target) {
            done, total throws(DiskImageError) in
            if machine.project.cancellation.isRequested { throw .interrupted }
            machine.report(.progress(Progress(label, completed: done, total: total)))
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
