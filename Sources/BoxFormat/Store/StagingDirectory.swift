internal import LinuxSystem
internal import SystemPackage

/// A folder for what is not complete yet. It removes itself, with everything in it, when the value ends. If the process
/// is killed first, the next change of the store removes it, because nobody holds the folder's lock any longer.
struct StagingDirectory: ~Copyable {
    private static let lockName = "lock"
    let path: FilePath
    /// What is being made.
    var content: FilePath { path.appending("content") }
    private let lock: OwnedDescriptor

    /// The caller holds the lock of the store's names, so that no sweep comes between the folder and its lock.
    static func create(in staging: FilePath) throws -> StagingDirectory {
        let path = staging.appending(randomIdentifier())
        try FileSystem.makeDirectory(path, permissions: 0o700)
        let lock = try OwnedDescriptor.open(
            path.appending(lockName), [.readWrite, .create, .exclusive], permissions: 0o600)
        guard try OpenFileLock.tryLock(lock, .exclusive) else { throw SystemError("lock", path, .resourceBusy) }
        return StagingDirectory(path: path, lock: lock)
    }

    private init(path: FilePath, lock: consuming OwnedDescriptor) {
        self.path = path
        self.lock = lock
    }

    deinit { try? FileSystem.removeTree(path) }

    /// Removes what killed processes left. The caller holds the lock of the store's names.
    static func sweep(_ staging: FilePath) throws {
        for name in try FileSystem.list(staging) {
            let path = staging.appending(name)
            let lockPath = path.appending(lockName)
            if try FileSystem.exists(lockPath) {
                let lock = try OwnedDescriptor.open(lockPath, [.readWrite, .noFollow])
                guard try OpenFileLock.tryLock(lock, .exclusive) else { continue }
                try FileSystem.removeTree(path)
            } else {
                try FileSystem.removeTree(path)
            }
        }
    }
}
