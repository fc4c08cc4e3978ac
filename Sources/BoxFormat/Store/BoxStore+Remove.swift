internal import Digest
public import LinuxSystem
public import Reporting
internal import SystemPackage

extension BoxStore {
    /// Takes a box out of the store.
    /// - Parameter force: Removes it even if machines use it; they will not start again.
    /// - Throws: ``BoxError/inUse(_:machines:)``, ``BoxError/notFound(_:installed:)``
    public func remove(_ box: BoxIdentity, force: Bool = false, cancellation: Cancellation? = nil) throws {
        try prepare()
        let trash = try {
            let held = try lockNames(cancellation: cancellation)
            defer { withExtendedLifetime(held) {} }
            let target = folder(of: box)
            guard try FileSystem.exists(target) else { throw BoxError.notFound("\(box)", installed: []) }
            let machines = try uses(of: box)
            guard force || machines.isEmpty else { throw BoxError.inUse(box, machines: machines.map(\.description)) }
            try StagingDirectory.sweep(staging)
            try sweepUses()
            let trash = try StagingDirectory.create(in: staging)
            try FileSystem.rename(target, to: trash.content)
            let version = target.removingLastComponent()
            try removeIfEmpty(version)
            try removeIfEmpty(version.removingLastComponent())
            try FileSystem.synchronizeDirectory(boxes)
            return trash
        }()
        _ = consume trash  // Deleting many gigabytes takes a while: not under the lock.
    }

    private func removeIfEmpty(_ folder: FilePath) throws(SystemError) {
        guard try FileSystem.list(folder).isEmpty else { return }
        try FileSystem.removeTree(folder)
    }

    /// Computes the digests of a stored box's files again.
    /// - Throws: ``BoxError/damaged(_:files:)`` naming each file that is missing or not as it was.
    public func verify(_ box: Box, sink: any EventSink = SilentSink(), cancellation: Cancellation? = nil) throws {
        var broken: [String] = []
        var done: UInt64 = 0
        let label = "verifying \(box.identity)"
        for file in box.files {
            let path = box.directory.appending(file.path)
            sink.report(.progress(Progress(label, completed: done, total: box.size)))
            if let status = try FileSystem.status(path, followLinks: false), status.kind == .regular {
                let actual = try fileChecksum(path, .sha256, cancellation: cancellation)
                if actual != file.digest.hexadecimal { broken.append("\(file.path): changed") }
            } else {
                broken.append("\(file.path): missing")
            }
            done &+= file.size
        }
        sink.report(.finished(label: label))
        guard broken.isEmpty else { throw BoxError.damaged(box.identity, files: broken) }
    }
}
