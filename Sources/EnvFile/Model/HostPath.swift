public import SystemPackage

/// A path on the host as part of a definition: relative to the project's folder if it is inside, so that moving the
/// project changes no definition, and absolute otherwise.
public struct HostPath: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    init(text: String) { self.text = text }

    /// - Parameters:
    ///   - written: The path as the file has it; `~/` stands for `home`.
    ///   - folder: The absolute folder of the file that has it.
    init(_ written: String, in folder: FilePath, project: FilePath, home: FilePath?) {
        var path = FilePath(written)
        if written == "~" || written.hasPrefix("~/"), let home {
            path = home.pushing(FilePath(String(written.dropFirst(2))))
        }
        path = folder.pushing(path).lexicallyNormalized()
        let base = project.lexicallyNormalized()
        if path == base {
            path = "."
        } else if path.starts(with: base) {
            _ = path.removePrefix(base)
        }
        // A name that starts with '~' is no home folder the next time either.
        text = path.string.hasPrefix("~") ? "./\(path)" : path.string
    }

    /// The absolute path.
    public func resolved(in project: FilePath) -> FilePath { project.pushing(FilePath(text)).lexicallyNormalized() }

    public var description: String { text }
}
