/// The order in which folders' descriptors are closed: a clock, in which a folder that was used meanwhile gets a second
/// round.
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
        guard let place = turn(&nodes) else { return nil }
        let former = entries[place]
        entries[place] = folder
        hand += 1
        return Self.release(former, &nodes)
    }

    /// So many stay, because a deep folder without any is looked for from the root at each request.
    private static let least = 16

    /// Makes a folder's node give its descriptor up.
    mutating func evict(_ nodes: inout [UInt64: NodeTable.Node]) -> HostFile? {
        while entries.count > Self.least, let place = turn(&nodes) {
            let former = entries[place]
            entries.swapAt(place, entries.count - 1)
            entries.removeLast()
            if let file = Self.release(former, &nodes) { return file }
        }
        return nil
    }

    /// Moves the hand to the next entry that was not used since it last passed there. After a whole round there is one.
    private mutating func turn(_ nodes: inout [UInt64: NodeTable.Node]) -> Int? {
        for _ in 0..<2 * entries.count {
            if hand >= entries.count { hand = 0 }
            guard let node = nodes[entries[hand]], node.file != nil, !node.needsFile, node.isRecentlyUsed else {
                return hand
            }
            nodes[entries[hand]]?.isRecentlyUsed = false
            hand += 1
        }
        return nil
    }

    /// The descriptor of `folder`'s node, unless that node cannot be without it.
    private static func release(_ folder: UInt64, _ nodes: inout [UInt64: NodeTable.Node]) -> HostFile? {
        guard let node = nodes[folder], !node.needsFile else { return nil }
        nodes[folder]?.file = nil
        return node.file
    }
}
