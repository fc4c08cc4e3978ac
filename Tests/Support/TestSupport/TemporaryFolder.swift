import LinuxSystem
public import SystemPackage

/// A folder of one test's own, removed with all in it. It lies on a disk: some tests' files are large.
public final class TemporaryFolder: Sendable {
    public let path: FilePath

    public init() throws {
        ChildCollector.start()
        let parent = try FileSystem.resolve(FilePath(environmentVariable("TMPDIR") ?? "/var/tmp"))
        path = parent.appending("wander-test-\(randomIdentifier(bytes: 6))")
        try FileSystem.makeDirectory(path, permissions: 0o755)
    }

    deinit { try? FileSystem.removeTree(path) }

    public func callAsFunction(_ name: String) -> FilePath { path.pushing(FilePath(name)) }

    /// Writes a file, and the folders it is in.
    public func file(_ name: String, _ bytes: [UInt8] = []) throws -> FilePath {
        let file = self(name)
        try FileSystem.makeDirectory(file.removingLastComponent())
        try OwnedDescriptor.open(file, [.writeOnly, .create, .truncate]).writeAll(bytes)
        return file
    }
}
