import LinuxSystem
import SystemPackage

/// Files beside the tests.
enum Fixtures {
    static let folder = FilePath(#filePath).removingLastComponent().appending("Fixtures")
    /// The top of the repository.
    static let repository = FilePath(#filePath).pushing("../../..").lexicallyNormalized()

    static let examples = names("examples")
    static let bad = names("bad").filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }

    static func example(_ name: String) -> FilePath {
        folder.pushing("examples").appending(name).appending("Wanderfile")
    }

    static func text(_ path: FilePath) throws -> String { String(decoding: try FileSystem.read(path), as: UTF8.self) }

    private static func names(_ name: String) -> [String] { (try? FileSystem.list(folder.appending(name))) ?? [] }
}
