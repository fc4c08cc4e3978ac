import EnvFile
import LinuxSystem
import SystemPackage
import VagrantImport

/// A Vagrantfile in a folder, with what becomes of it.
enum Fixture {
    static let folder = FilePath(#filePath).removingLastComponent().appending("Fixtures")
    static let names = ((try? FileSystem.list(folder)) ?? []).sorted()

    static func path(_ name: String, _ file: String) -> FilePath { folder.appending(name).appending(file) }
    static func text(_ name: String, _ file: String) throws -> String {
        String(decoding: try FileSystem.read(path(name, file)), as: UTF8.self)
    }

    /// What is told about a file, one remark a line; `!` marks what the machines need.
    static func remarks(_ result: VagrantImport) -> String {
        result.remarks.map { remark in
            "\(remark.kind.rawValue)\(remark.isImportant ? "!" : "") \(remark.line) \(remark.subject): \(remark.text)\n"
        }.joined()
    }

    /// Reads a Wanderfile that is only a text.
    static func environment(_ text: String, in folder: FilePath) throws(EnvFileError) -> Environment {
        var options = EnvironmentLoader.Options(workingDirectory: folder)
        options.file = "Wanderfile"
        options.content = Array(text.utf8)
        // A variable that has no default here would be missing elsewhere.
        options.variables = [:]
        return try EnvironmentLoader(options).load()
    }
}
