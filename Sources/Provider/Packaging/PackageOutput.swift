import BoxFormat
import LinuxSystem
import SystemPackage

/// Where a box goes.
struct PackageOutput {
    /// Refuses before any work what would be refused after it. Makes the folder that the box goes to.
    static func check(_ options: PackageOptions, _ contents: PackageContents) throws {
        let path = options.output
        guard !path.components.contains(FilePath.Component(".wander")) else { throw PackageError.outputInState(path) }
        if let status = try FileSystem.status(path) {
            if status.kind == .directory { throw PackageError.outputIsFolder(path) }
            guard options.replace else { throw BoxError.outputExists(path) }
            guard status.kind == .regular else { throw PackageError.outputIsNoFile(path) }
            if contents.holds(status) { throw PackageError.outputIncluded(path) }
        } else if !options.replace, try FileSystem.status(path, followLinks: false) != nil {
            // A link to nothing.
            throw BoxError.outputExists(path)
        }
        let folder = path.removingLastComponent()
        try FileSystem.makeDirectory(folder)
        // Whether a file can be made there shows best by making one, which goes away with its last use.
        _ = try UnnamedFile(in: folder, name: path.lastComponent?.string ?? "box")
    }
}
