import Synchronization

/// Names at which the guest looked for a file, a folder or a link and found another one in its place. If a program on
/// the host replaces it again and again, each number that the guest has just learnt would be stale before its use, and
/// opening by that name would fail. So the server keeps the next file at such a name open for a while.
final class ReplacedNames: Sendable {
    private struct Place: Equatable {
        let parent: UInt64
        let name: FileName
    }
    private struct State {
        var places: [Place] = []
        var held: [UInt64] = []
    }
    private static let limit = 16

    /// Whether what is of that kind is replaced under a name by another: pipes and sockets are not.
    static func holds(_ kind: FileKind) -> Bool { kind == .regular || kind == .folder || kind == .link }

    private let state = Mutex(State())
    /// So that looking names up costs nothing where there are none.
    private let isInUse = Atomic<Bool>(false)

    /// Notes that a name led to another file than it did.
    func note(_ name: FileName, in parent: UInt64) {
        state.withLock { state in
            let place = Place(parent: parent, name: name)
            guard !state.places.contains(place) else { return }
            if state.places.count == Self.limit { state.places.removeFirst() }
            state.places.append(place)
        }
        isInUse.store(true, ordering: .relaxed)
    }

    func contains(_ name: FileName, in parent: UInt64) -> Bool {
        guard isInUse.load(ordering: .relaxed) else { return false }
        return state.withLock { $0.places.contains(Place(parent: parent, name: name)) }
    }

    /// Notes that a node is held.
    /// - Returns: The one that is no more.
    func hold(_ node: UInt64) -> UInt64? {
        state.withLock { state in
            guard !state.held.contains(node) else { return nil }
            state.held.append(node)
            return state.held.count > Self.limit ? state.held.removeFirst() : nil
        }
    }

    func reset() {
        isInUse.store(false, ordering: .relaxed)
        state.withLock { $0 = State() }
    }
}
