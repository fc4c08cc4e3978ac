import LinuxSystem
import SystemPackage

/// A folder of a test's own, removed with it.
final class Folder {
    let path: FilePath

    init() throws {
        path = FilePath("/tmp").appending("wander-boot-\(randomIdentifier())")
        try FileSystem.makeDirectory(path)
    }
    deinit { try? FileSystem.removeTree(path) }

    func write(_ bytes: [UInt8], _ name: String) throws -> FilePath {
        let file = path.appending(name)
        try AtomicFile.write(bytes, to: file)
        return file
    }
}
