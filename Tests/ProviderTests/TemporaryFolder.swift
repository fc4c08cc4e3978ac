import LinuxSystem
import SystemPackage

/// A folder of one test's own, removed with it.
final class TemporaryFolder {
    let path: FilePath

    init() throws {
        path = FilePath("/tmp/wander-test-\(randomIdentifier())")
        try FileSystem.makeDirectory(path)
    }

    deinit { try? FileSystem.removeTree(path) }
}
