/// Which folders' descriptors to let go of first: a clock, in which a folder that was used meanwhile gets a second round.
struct FolderCache {
    var limit = 8
    private var entries: [UInt64] = []
    private var hand = 0

    /// Notes that `folder` has a descriptor now.
    /// - Returns: Another folder's descriptor, which its node has given up.
    mutating func admit(_ folder: UInt64, _ nodes: inout [UInt64: NodeTable.Node]) -> HostFile? {
        guard entries.count >= limit else {
            entries.append(folder)
            return nil
        }
        for _ in 0..<2 * entries.count {
            if hand >= entries.count { hand = 0 }
            let candidate = entries[hand]
            let node = nodes[candidate]
            if let node, node.file != nil, !node.needsFile, node.isRecentlyUsed {
                nodes[candidate]?.isRecentlyUsed = false
                hand += 1
                continue
            }
            entries[hand] = folder
            hand += 1
            guard let node, !node.needsFile else { return nil }
            nodes[candidate]?.file = nil
            return node.file
        }
        return nil
    }

    /// So many stay, because a deep folder without any is looked for from the root at each request.
    private static let least = 16

    /// Makes a folder's node give its descriptor up.
    mutating func evict(_ nodes: inout [UInt64: NodeTable.Node]) -> HostFile? {
        for _ in 0..<2 * entries.count where entries.count > Self.least {
            if hand >= entries.count { hand = 0 }
            let candidate = entries[hand]
            let node = nodes[candidate]
            if let node, node.file != nil, !node.needsFile, node.isRecentlyUsed {
                nodes[candidate]?.isRecentlyUsed = false
                hand += 1
                continue
            }
            entries.swapAt(hand, entries.count - 1)
            entries.removeLast()
            guard let node, !node.needsFile, let file = node.file else { continue }
            nodes[candidate]?.file = nil
            return file
        }
        return nil
    }
}
