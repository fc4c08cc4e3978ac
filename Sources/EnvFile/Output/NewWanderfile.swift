import JSON
import LinuxSystem
public import SystemPackage

/// Writes the first Wanderfile of a project.
public enum NewWanderfile {
    /// The first line, by which editors find the schema.
    public static let modeline = "# yaml-language-server: $schema=\(InitTemplate.schemaPath)\n"

    /// Writes `text`, and beside it the schema that its first line names.
    /// - Parameters:
    ///   - path: Absolute.
    ///   - replacing: Whether a file that is there may be replaced.
    /// - Throws: ``EnvFileError/exists(_:)``, or `SystemError` if something cannot be written.
    public static func write(_ text: String, to path: FilePath, replacing: Bool) throws {
        let folder = path.removingLastComponent()
        // A second file of another name would make every command ask which one is meant.
        let names = Discovery.names.contains(path.lastComponent?.string ?? "") ? Discovery.names : []
        let rivals = [path] + names.map { folder.appending($0) }.filter { $0 != path }
        for rival in rivals where try !(replacing && rival == path) && FileSystem.exists(rival) {
            throw EnvFileError.exists(rival)
        }
        if try FileSystem.isDirectory(path) { throw EnvFileError.exists(path) }
        let schema = folder.pushing(FilePath(InitTemplate.schemaPath))
        let state = schema.removingLastComponent()
        if try !FileSystem.isDirectory(state) { try FileSystem.makeDirectory(state, permissions: 0o700) }
        let ignore = state.appending(".gitignore")
        if try !FileSystem.exists(ignore) { try AtomicFile.write("*\n", to: ignore) }
        try AtomicFile.write(JSONSchema.document.pretty, to: schema)
        try AtomicFile.write(text, to: path)
    }
}
