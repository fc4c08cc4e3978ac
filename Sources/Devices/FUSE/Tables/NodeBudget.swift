import Synchronization

/// How many files all guests of the process may know, in all shares: each takes about half a kilobyte, more with a long
/// name.
final class NodeBudget: Sendable {
    static let process = NodeBudget(limit: 1 << 20)
    /// So many every share may have, whatever the others took.
    static let share = 1 << 12

    let limit: Int
    private let used = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    var isUsedUp: Bool { used.load(ordering: .relaxed) >= limit }
    func take() { used.add(1, ordering: .relaxed) }
    func giveBack(_ count: Int) { used.subtract(count, ordering: .relaxed) }
}
