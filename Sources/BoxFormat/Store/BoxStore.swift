public import LinuxSystem
internal import Reporting
public import SystemPackage

/// The boxes of one user: each name, version and architecture once, unpacked, read-only once it is there.
///
/// Below ``root``: `boxes/NAME/VERSION/ARCHITECTURE/` (`record.json` and `files/`), `staging/` (what is not complete
/// yet; swept by the next change), `uses/` (which machine uses which box), `downloads/` and `locks/`. A box appears and
/// disappears by one rename(2), so readers need no lock.
public struct BoxStore: Sendable {
    public let root: FilePath

    public init(root: FilePath) { self.root = root }

    /// The user's store: `WANDER_HOME`, else `wander` in `XDG_DATA_HOME`, else `~/.local/share/wander`.
    public static func standard() throws(SystemError) -> BoxStore {
        if let value = environmentVariable("WANDER_HOME"), !value.isEmpty {
            return BoxStore(root: FileSystem.currentDirectory.pushing(FilePath(value)).lexicallyNormalized())
        }
        guard let data = UserFolders.data else {
            throw SystemError("find your home folder (set HOME or WANDER_HOME)", nil, .noSuchFileOrDirectory)
        }
        return BoxStore(root: data.appending("wander"))
    }

    var boxes: FilePath { root.appending("boxes") }
    var staging: FilePath { root.appending("staging") }
    var usesFolder: FilePath { root.appending("uses") }
    var downloads: FilePath { root.appending("downloads") }
    private var locks: FilePath { root.appending("locks") }

    func folder(of box: BoxIdentity) -> FilePath {
        boxes.appending(box.name.folder).appending(box.version.description).appending(box.architecture.description)
    }

    /// Makes the store's folders, for its owner only.
    func prepare() throws(SystemError) {
        for folder in [boxes, staging, usesFolder, locks] { try FileSystem.makeDirectory(folder, permissions: 0o700) }
    }

    /// A lock held until the value goes away, however the process ends.
    final class HeldLock {
        private let descriptor: OwnedDescriptor
        /// Whether somebody else held it first.
        let hasWaited: Bool
        init(_ descriptor: consuming OwnedDescriptor, hasWaited: Bool) {
            self.descriptor = descriptor
            self.hasWaited = hasWaited
        }
    }

    /// Waits for the lock called `key`.
    /// - Parameter waiting: What to tell the user while somebody else holds it.
    func lock(
        _ key: String, waiting: String?, sink: any EventSink = SilentSink(), cancellation: Cancellation?
    ) throws -> HeldLock {
        let file = try OwnedDescriptor.open(
            locks.appending("\(key).lock"), [.readWrite, .create, .noFollow], permissions: 0o600)
        if try OpenFileLock.tryLock(file, .exclusive) { return HeldLock(file, hasWaited: false) }
        if let waiting { sink.report(.note(waiting)) }
        guard try OpenFileLock.lock(file, .exclusive, cancellation: cancellation) else { throw Interruption() }
        return HeldLock(file, hasWaited: true)
    }

    /// Removes everything that belongs to one download.
    func removeDownload(key: String) throws {
        guard try FileSystem.exists(downloads) else { return }
        let held = try lock("download-\(key)", waiting: nil, cancellation: nil)
        defer { withExtendedLifetime(held) {} }
        for name in try FileSystem.list(downloads) where name.hasPrefix(key) {
            try FileSystem.remove(downloads.appending(name))
        }
    }

    /// The lock under which names appear and disappear. Held for moments only.
    func lockNames(cancellation: Cancellation? = nil) throws -> HeldLock {
        try lock("store", waiting: nil, cancellation: cancellation)
    }
}
