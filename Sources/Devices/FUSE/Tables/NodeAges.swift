/// The order in which the guest learnt of files and links, to forget the oldest first. It leaves out folders, since
/// they lead to others, and pipes and sockets, which a guest's kernel identifies by what it knows of them.
struct NodeAges {
    /// With some that the guest has forgotten, or that were there again.
    private var numbers: [UInt64] = []
    private var oldest = 0
    /// How many are looked at for one that may go.
    private static let patience = 1024

    mutating func append(_ number: UInt64, _ nodes: [UInt64: NodeTable.Node]) {
        if numbers.count - oldest > 2 * nodes.count + 1024 {
            numbers = numbers[oldest...].filter { nodes[$0] != nil }
            oldest = 0
        }
        numbers.append(number)
    }

    /// - Returns: The oldest that may be forgotten; nil if there is none among the oldest.
    mutating func removeOldest(_ nodes: [UInt64: NodeTable.Node]) -> UInt64? {
        var looked = 0
        while oldest < numbers.count, looked < Self.patience {
            let number = numbers[oldest]
            oldest += 1
            if oldest >= 4096, oldest > numbers.count / 2 {
                numbers.removeFirst(oldest)
                oldest = 0
            }
            guard let node = nodes[number] else { continue }
            if node.mayBeForgotten { return number }
            numbers.append(number)
            looked += 1
        }
        return nil
    }
}
