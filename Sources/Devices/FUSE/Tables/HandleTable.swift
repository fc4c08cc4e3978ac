import Synchronization
import SystemPackage

/// A file or folder that the guest has open.
final class Handle: Sendable {
    let node: UInt64
    let identity: FileIdentity
    let file: HostFile
    let isReadable: Bool
    let isWritable: Bool
    /// Where a folder is read; held while it is.
    let position = Mutex(FolderPosition())

    init(
        _ node: UInt64, _ identity: FileIdentity, _ file: HostFile, isReadable: Bool = true, isWritable: Bool = false
    ) {
        self.node = node
        self.identity = identity
        self.file = file
        self.isReadable = isReadable
        self.isWritable = isWritable
    }

    var isFolder: Bool { identity.kind == .folder }
}

/// How far an open folder has been read.
struct FolderPosition {
    /// Where the next entries are.
    var offset: UInt64 = 0
    /// How often it was begun: what was read before is old then.
    var pass: UInt64 = 0
}

/// The open files, by the numbers that the guest has for them. Each holds a descriptor, which is what bounds them.
final class HandleTable: Sendable {
    private struct State {
        var handles: [UInt64: Handle] = [:]
        var next: UInt64 = 1
    }
    private let state = Mutex(State())

    var count: Int { state.withLock { $0.handles.count } }

    /// Numbers are never used twice.
    func insert(_ handle: Handle) -> UInt64 {
        state.withLock { state in
            let number = state.next
            state.next += 1
            state.handles[number] = handle
            return number
        }
    }

    /// - Throws: `EBADF` unless `number` is an open handle of that node and kind.
    func handle(_ number: UInt64, of node: UInt64, isFolder: Bool = false) throws(Errno) -> Handle {
        guard let handle = state.withLock({ $0.handles[number] }), handle.node == node, handle.isFolder == isFolder
        else { throw .badFileDescriptor }
        return handle
    }

    /// - Returns: Whether it was open.
    func remove(_ number: UInt64) -> Bool { state.withLock { $0.handles.removeValue(forKey: number) } != nil }

    func reset() {
        let old = state.withLock { state in
            defer { state.handles = [:] }
            return state.handles
        }
        _ = consume old
    }
}
