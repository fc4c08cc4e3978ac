import CLinux
import Glibc
public import SystemPackage

/// Replaces a file so that after a crash at any instant either the old or the new content is there, whole.
public enum AtomicFile {
    /// Writes a temporary file beside `path`, forces it to the disk, renames it over `path`, and forces the name.
    /// - Parameter permissions: Of the new file; the umask applies.
    public static func write(_ bytes: [UInt8], to path: FilePath, permissions: UInt32 = 0o644) throws(SystemError) {
        let folder = path.removingLastComponent()
        let temporary = FilePath("\(path).\(randomIdentifier(bytes: 4)).tmp")
        do {
            let file = try OwnedDescriptor.open(temporary, [.writeOnly, .create, .exclusive], permissions: permissions)
            try file.writeAll(bytes)
            try file.synchronize()
            file.close()
            try FileSystem.rename(temporary, to: path)
            try FileSystem.synchronizeDirectory(folder)
        } catch {
            try? FileSystem.remove(temporary)
            throw SystemError("write", path, error.errno)
        }
    }

    public static func write(_ text: String, to path: FilePath, permissions: UInt32 = 0o644) throws(SystemError) {
        try write(Array(text.utf8), to: path, permissions: permissions)
    }

    /// Whether `name` is a temporary file that a killed process left behind.
    public static func isLeftover(_ name: String) -> Bool { name.hasSuffix(".tmp") }
}
