import Synchronization

/// The memory in which one thread serves one request.
@safe final class Workspace: @unchecked Sendable {
    // Unchecked: the pool lends it to one thread at a time.
    /// Arguments of a request: the largest are an extended attribute's.
    let request = UnsafeMutableRawBufferPointer.allocate(byteCount: 72 << 10, alignment: 16)
    let reply = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 16)
    let folder = FolderBuffer()

    deinit {
        unsafe request.deallocate()
        unsafe reply.deallocate()
    }
}

/// A pool with as many workspaces as there were threads at once.
final class WorkspacePool: Sendable {
    private let idle = Mutex<[Workspace]>([])

    func take() -> Workspace { idle.withLock { $0.popLast() } ?? Workspace() }
    func giveBack(_ workspace: Workspace) { idle.withLock { $0.append(workspace) } }
}
