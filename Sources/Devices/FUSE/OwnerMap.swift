import Glibc
import Synchronization

/// Who owns files in the guest. What belongs to the host's user belongs to the guest's owner, everything else to
/// nobody.
///
/// The guest itself names its owner: root's first change of the root's owner after a mount. That changes only what the
/// guest sees.
final class OwnerMap: Sendable {
    struct Owner: Equatable {
        var user: UInt32
        var group: UInt32
    }
    static let nobody: UInt32 = 65534

    private let hostUser = geteuid()
    private let hostGroup = getegid()
    private struct State {
        var owner = Owner(user: 1000, group: 1000)
        var isSettled = true
    }
    private let state = Mutex(State())

    /// The guest mounts the folder: the next change of the root's owner counts. Until then the owner stays.
    func mounted() { state.withLock { $0.isSettled = false } }

    /// Root changed the root's owner.
    func settle(user: UInt32?, group: UInt32?) {
        state.withLock { state in
            guard !state.isSettled else { return }
            state.isSettled = true
            if let user, user != .max { state.owner.user = user }
            if let group, group != .max { state.owner.group = group }
        }
    }

    func owner(of status: HostStatus) -> Owner {
        let owner = state.withLock { $0.owner }
        return Owner(
            user: status.user == hostUser ? owner.user : Self.nobody,
            group: status.group == hostGroup ? owner.group : Self.nobody)
    }

    /// Whether files keep their set-user-id bits when they are written, as they do for root.
    var isRoot: Bool { hostUser == 0 }
}
