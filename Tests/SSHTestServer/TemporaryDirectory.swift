import LinuxSystem
public import SystemPackage

/// A directory that goes away with its owner.
public final class TemporaryDirectory {
    public let path: FilePath

    public init() throws {
        let parent = FilePath(environmentVariable("TMPDIR") ?? "/tmp")
        path = try FileSystem.resolve(parent).appending("wander-ssh-\(randomIdentifier(bytes: 6))")
        try FileSystem.makeDirectory(path, permissions: 0o755)
    }

    deinit { try? FileSystem.removeTree(path) }
}
