import Synchronization
import SystemPackage

/// The files that the guest knows, by the numbers under which it knows them.
///
/// A node is a name in another node, and the identity of what was found there. It needs no descriptor: of 100,000 known
/// files, only the folders in use and the open files have one. So a name may meanwhile mean another file: every use of
/// a node compares identities, and a guest's kernel that gets `ESTALE` looks the name up again. This lets the server
/// forget nodes that the guest still has: if there are too many, it drops the oldest file or link that nobody has open.
final class NodeTable: Sendable {
    static let root: UInt64 = 1

    private let state: Mutex<State>
    private let limit: Int
    private let budget: NodeBudget

    struct Node {
        let identity: FileIdentity
        /// How often the guest was told of it and has not forgotten it (linux/fuse.h, `nlookup`).
        var lookups: UInt64
        /// Where it is; 0 if it has no name that is known.
        var parent: UInt64
        var name: FileName
        /// Names the file whatever becomes of its name: of folders in use, and of files that are held or have no name.
        var file: HostFile?
        /// What the guest has opened it by, one for each handle. So does any of these.
        var open: [HostFile] = []
        var isRecentlyUsed = false
        /// What the file was like when it was opened last; nil if too fresh to tell a change by.
        var stamp: ContentStamp?
    }

    struct State {
        var nodes: [UInt64: Node] = [:]
        var numbers: [FileIdentity: UInt64] = [:]
        /// Numbers are never used twice, so a forged old one finds nothing.
        var next = NodeTable.root + 1
        var folders = FolderCache()
        var ages = NodeAges()
    }

    init(root: HostFile, _ identity: FileIdentity, limit: Int, folderLimit: Int, budget: NodeBudget) {
        self.limit = limit
        self.budget = budget
        var state = State()
        state.folders.limit = max(folderLimit, 8)
        state.nodes[Self.root] = Node(identity: identity, lookups: 1, parent: 0, name: .none, file: root)
        state.numbers[identity] = Self.root
        self.state = Mutex(state)
    }

    deinit { budget.giveBack(state.withLock { $0.nodes.count } - 1) }

    /// How many the guest knows, the root among them.
    var count: Int { state.withLock { $0.nodes.count } }

    /// Forgets all but the root.
    func reset() {
        let old = state.withLock { state in
            let old = state
            guard let root = state.nodes[Self.root] else { return old }
            state = State()
            state.folders.limit = old.folders.limit
            state.next = old.next
            state.nodes[Self.root] = Node(
                identity: root.identity, lookups: 1, parent: 0, name: .none, file: root.file)
            state.numbers[root.identity] = Self.root
            budget.giveBack(old.nodes.count - 1)
            return old
        }
        // Descriptors are closed here, outside of the lock.
        _ = consume old
    }

    /// Where a node is.
    struct Place {
        let node: UInt64
        let identity: FileIdentity
        let parent: UInt64
        let name: FileName
        /// Any that names the node.
        let file: HostFile?
        let isOpen: Bool
        /// The parent's.
        let folder: HostFile?
    }

    /// - Throws: `ESTALE` for a number that the guest does not hold.
    func place(of number: UInt64) throws(Errno) -> Place {
        let place: Place? = state.withLock { state in
            guard let node = state.nodes[number] else { return nil }
            var folder: HostFile?
            let file = node.file ?? node.open.last
            if file == nil {
                folder = state.nodes[node.parent]?.file
                if folder != nil { state.nodes[node.parent]?.isRecentlyUsed = true }
            } else if node.identity.kind == .folder, !node.isRecentlyUsed {
                state.nodes[number]?.isRecentlyUsed = true
            }
            return Place(
                node: number, identity: node.identity, parent: node.parent, name: node.name, file: file,
                isOpen: !node.open.isEmpty, folder: folder)
        }
        guard let place else { throw .staleNFSFileHandle }
        return place
    }

    /// Counts that the guest is told of what was found under `name`.
    /// - Throws: `ENFILE` if it knows too many files already, and none that may be forgotten.
    func found(_ identity: FileIdentity, as name: FileName, in parent: UInt64) throws(Errno) -> UInt64 {
        let number: UInt64? = state.withLock { state in
            if let number = state.numbers[identity] {
                if number != Self.root {
                    state.nodes[number]?.moved(to: name, in: parent)
                }
                state.nodes[number]?.count(1)
                return number
            }
            guard hasRoom(&state) else { return nil }
            let number = state.next
            state.next += 1
            state.nodes[number] = Node(identity: identity, lookups: 1, parent: parent, name: name)
            state.numbers[identity] = number
            if identity.kind == .regular || identity.kind == .link { state.ages.append(number, state.nodes) }
            return number
        }
        guard let number else { throw .tooManyOpenFilesInSystem }
        return number
    }

    /// Takes room for a node of the budget, if need be by forgetting another one.
    private func hasRoom(_ state: inout State) -> Bool {
        if state.nodes.count >= limit || budget.isUsedUp && state.nodes.count >= NodeBudget.share {
            guard state.forgetOldest() else { return false }
            budget.giveBack(1)
        }
        budget.take()
        return true
    }

    /// Takes back what ``found(_:as:in:)`` counted.
    func forget(_ number: UInt64, _ count: UInt64) {
        guard number != Self.root, count > 0 else { return }
        let removed: Node? = state.withLock { state in
            guard let node = state.nodes[number] else { return nil }
            guard node.lookups <= count else {
                state.nodes[number]?.lookups -= count
                return nil
            }
            state.nodes[number] = nil
            state.numbers[node.identity] = nil
            budget.giveBack(1)
            return node
        }
        _ = consume removed
    }

    /// The number of a file that the guest may know.
    func number(of identity: FileIdentity) -> UInt64? { state.withLock { $0.numbers[identity] } }

    /// Changes a node, if the guest still knows it.
    @discardableResult
    func update<R>(_ number: UInt64, _ body: (inout Node) -> R) -> R? {
        state.withLock { state in
            guard let index = state.nodes.index(forKey: number) else { return nil }
            return body(&state.nodes.values[index])
        }
    }

    /// Notes a file that has no name yet.
    func add(_ identity: FileIdentity, _ file: HostFile) throws(Errno) -> UInt64 {
        let number: UInt64? = state.withLock { state in
            guard state.numbers[identity] == nil, hasRoom(&state) else { return nil }
            let number = state.next
            state.next += 1
            state.nodes[number] = Node(identity: identity, lookups: 1, parent: 0, name: .none, file: file)
            state.numbers[identity] = number
            return number
        }
        guard let number else { throw .tooManyOpenFilesInSystem }
        return number
    }

    /// A handle was opened: until it is closed, `file` tells what the node is, whatever becomes of its name.
    func opened(_ number: UInt64, _ file: HostFile) { update(number) { $0.open.append(file) } }

    /// The handle that `file` was opened for was closed.
    func closed(_ number: UInt64, _ file: HostFile) {
        update(number) { node in
            guard let index = node.open.firstIndex(where: { $0 === file }) else { return }
            node.open.swapAt(index, node.open.count - 1)
            node.open.removeLast()
            // Nothing else leads to a removed file, which the guest may know still.
            if node.parent == 0, node.open.isEmpty, node.file == nil { node.file = file }
        }
        letGo(number)
    }

    /// Keeps a descriptor of a file although nobody has it open.
    func hold(_ number: UInt64, _ file: HostFile) { update(number) { if $0.file == nil { $0.file = file } } }

    /// Closes the descriptor of a file that its name, or an open handle, leads to.
    func letGo(_ number: UInt64) {
        let dropped: HostFile?? = update(number) { node in
            guard !node.needsFile else { return nil }
            defer { node.file = nil }
            return node.file
        }
        _ = consume dropped
    }

    /// What was under `name` is there no more. If that was where the node is, only `file` leads to it now.
    func lostName(_ number: UInt64, _ name: FileName, in parent: UInt64, _ file: HostFile?) {
        update(number) { node in
            guard node.parent == parent, node.name == name else { return }
            node.parent = 0
            node.name = .none
            if node.file == nil, node.open.isEmpty { node.file = file }
        }
    }

    func moved(_ number: UInt64, to name: FileName, in parent: UInt64) {
        guard number != Self.root else { return }
        update(number) { $0.moved(to: name, in: parent) }
    }

    /// Keeps the descriptor of a folder, and lets go of another folder's if there are many.
    func keep(_ folder: HostFile, for number: UInt64) {
        let dropped: HostFile? = state.withLock { state in
            guard state.nodes[number] != nil, state.nodes[number]?.file == nil else { return nil }
            state.nodes[number]?.file = folder
            state.nodes[number]?.isRecentlyUsed = true
            return state.folders.admit(number, &state.nodes)
        }
        _ = consume dropped
    }

    /// Lets go of the descriptor of a folder that can be found again.
    /// - Returns: Whether there was one to spare.
    func letFolderGo() -> Bool {
        let dropped: HostFile? = state.withLock { state in state.folders.evict(&state.nodes) }
        return dropped != nil
    }
}

extension NodeTable.State {
    /// - Returns: Whether there was a node that the guest finds again by its name.
    mutating func forgetOldest() -> Bool {
        guard let number = ages.removeOldest(nodes), let node = nodes.removeValue(forKey: number) else { return false }
        numbers[node.identity] = nil
        return true
    }
}

extension NodeTable.Node {
    mutating func count(_ lookups: UInt64) {
        let (sum, isTooMuch) = self.lookups.addingReportingOverflow(lookups)
        self.lookups = isTooMuch ? .max : sum
    }

    mutating func moved(to name: FileName, in parent: UInt64) {
        guard self.parent != parent || self.name != name else { return }
        // With a name again, it needs no descriptor.
        if self.parent == 0, identity.kind != .folder { file = nil }
        self.parent = parent
        self.name = name
    }

    /// Whether its descriptor is more than a shortcut.
    var needsFile: Bool { parent == 0 }

    /// Whether the guest finds it again by its name, and nothing of its own is lost with the number.
    var mayBeForgotten: Bool { file == nil && open.isEmpty && parent != 0 }
}
