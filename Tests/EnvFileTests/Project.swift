import EnvFile
import LinuxSystem
import Reporting
import SystemPackage
import Testing

/// A folder with a Wanderfile, removed with the value.
final class Project {
    let folder: FilePath
    var options: EnvironmentLoader.Options

    init(_ text: String? = nil, named name: String = "shop") throws {
        let base = FilePath(environmentVariable("TMPDIR") ?? "/tmp")
        folder = try FileSystem.resolve(base).appending("envfile-\(randomIdentifier(bytes: 8))").appending(name)
        try FileSystem.makeDirectory(folder)
        options = .init(workingDirectory: folder)
        options.variables = ["HOME": folder.removingLastComponent().string, "USER": "ada"]
        options.version = ProgramVersion("0.3")
        if let text { try write(text) }
    }

    deinit { try? FileSystem.removeTree(folder.removingLastComponent()) }

    func write(_ text: String, to name: String = "Wanderfile") throws {
        let path = folder.pushing(FilePath(name))
        try FileSystem.makeDirectory(path.removingLastComponent())
        try AtomicFile.write(text, to: path)
    }

    func load() throws(EnvFileError) -> Environment { try EnvironmentLoader(options).load() }

    /// What `wander validate` would print: every problem, rendered; empty if there is none.
    func problems() -> String {
        do throws(EnvFileError) {
            let environment = try load()
            return environment.warnings.map(\.rendered).joined(separator: "\n")
        } catch { return error.detail ?? error.summary }
    }
}

/// The only machine of a Wanderfile.
func machine(_ text: String) throws -> MachineDefinition {
    try #require(try Project(text).load().machines.first)
}
