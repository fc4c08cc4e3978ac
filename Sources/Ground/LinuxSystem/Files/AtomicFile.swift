import CLinux
import Glibc
public import SystemPackage

/// Replaces a file so that after a crash at any instant either the old or the new content is there, whole.
///
/// A temporary file is locked by whoever writes it. One that nobody holds was left by a process that was killed.
public enum AtomicFile {
    private static let suffix = ".tmp"
    private static let identifierBytes = 4

    /// Writes a temporary file beside `path`, forces it to the disk, renames it over `path`, and forces the name.
    /// - Parameter permissions: Of the new file; the umask applies.
    public static func write(_ bytes: [UInt8], to path: FilePath, permissions: UInt32 = 0o644) throws(SystemError) {
        // Again if somebody who cleaned up came between a file's name and its lock.
        for _ in 0..<8 where try writeOnce(bytes, to: path, permissions: permissions) { return }
        throw SystemError("write", path, .noSuchFileOrDirectory)
    }

    public static func write(_ text: String, to path: FilePath, permissions: UInt32 = 0o644) throws(SystemError) {
        try write(Array(text.utf8), to: path, permissions: permissions)
    }

    /// - Returns: False if the temporary file was taken away.
    private static func writeOnce(
        _ bytes: [UInt8], to path: FilePath, permissions: UInt32
    ) throws(SystemError) -> Bool {
        let temporary = FilePath("\(path).\(randomIdentifier(bytes: identifierBytes))\(suffix)")
        do throws(SystemError) {
            let file = try OwnedDescriptor.open(temporary, [.writeOnly, .create, .exclusive], permissions: permissions)
            // Where there are no locks, nobody can clean up either.
            _ = try? OpenFileLock.tryLock(file, .exclusive)
            try file.writeAll(bytes)
            try file.synchronize()
            do throws(SystemError) {
                try FileSystem.rename(temporary, to: path)
            } catch {
                guard error.errno == .noSuchFileOrDirectory, try FileSystem.exists(path.folder) else { throw error }
                return false
            }
            file.close()
            try FileSystem.synchronizeDirectory(path.folder)
            return true
        } catch {
            try? FileSystem.remove(temporary)
            throw SystemError("write", path, error.errno)
        }
    }

    /// Whether `name` is one of a temporary file.
    public static func isTemporary(_ name: String) -> Bool {
        guard name.hasSuffix(suffix) else { return false }
        let identifier = name.dropLast(suffix.count).suffix(2 * identifierBytes)
        return identifier.utf8.count == 2 * identifierBytes && identifier.allSatisfy(\.isHexDigit)
            && name.dropLast(suffix.count + identifier.count).hasSuffix(".")
    }

    /// Removes the temporary files in `folder` that killed processes have left. What somebody writes now stays.
    /// - Parameter name: Only those of this file.
    public static func removeLeftovers(in folder: FilePath, of name: String? = nil) throws(SystemError) {
        guard try FileSystem.exists(folder) else { return }
        for entry in try FileSystem.list(folder)
        where isTemporary(entry) && (name.map { entry.hasPrefix($0 + ".") } ?? true) {
            let path = folder.appending(entry)
            guard try FileSystem.status(path, followLinks: false)?.kind == .regular else { continue }
            let file: OwnedDescriptor
            do throws(SystemError) {
                file = try OwnedDescriptor.open(path, [.readWrite, .noFollow])
            } catch {
                // Another one's, or gone meanwhile.
                continue
            }
            if (try? OpenFileLock.tryLock(file, .exclusive)) == true { try FileSystem.remove(path) }
        }
    }
}

extension FilePath {
    /// The folder of a file; `.` for a bare name.
    fileprivate var folder: FilePath {
        let folder = removingLastComponent()
        return folder.isEmpty ? "." : folder
    }
}
