import CLinux
import Glibc
public import SystemPackage

/// A new file that has no name until it is complete (open(2), O_TMPFILE): whatever kills the process, nothing is left.
///
/// On file systems without such files it has a name that ends in `.tmp`, which goes away with the value.
public final class UnnamedFile {
    public let descriptor: OwnedDescriptor
    private let folder: FilePath
    private var temporary: FilePath?

    /// - Parameters:
    ///   - folder: Where the file is to be; it must exist.
    ///   - name: What the name of the stand-in begins with.
    public init(in folder: FilePath, name: String, permissions: UInt32 = 0o644) throws(SystemError) {
        self.folder = folder.isEmpty ? "." : folder
        // O_TMPFILE of linux/fcntl.h, which glibc has only under _GNU_SOURCE.
        let unnamed = OwnedDescriptor.OpenFlags(rawValue: 0o20_200_000)
        do throws(SystemError) {
            descriptor = try OwnedDescriptor.open(self.folder, [unnamed, .readWrite], permissions: permissions)
        } catch {
            guard
                [Errno.notSupportedOnSocket, .notSupported, .isDirectory, .noSuchFileOrDirectory, .invalidArgument]
                    .contains(error.errno)
            else { throw error }
            let path = self.folder.appending("\(name).\(randomIdentifier(bytes: 4)).tmp")
            descriptor = try OwnedDescriptor.open(
                path, [.readWrite, .create, .exclusive], permissions: permissions)
            temporary = path
        }
    }

    /// Opens the file again for as long as this value is there.
    public var path: FilePath { temporary ?? FilePath("/proc/self/fd/\(descriptor.rawValue)") }

    deinit { if let temporary { try? FileSystem.remove(temporary) } }

    /// Gives the file its name, in one step.
    /// - Parameter replace: Whether a file of that name gives way; otherwise `EEXIST` is thrown.
    public func publish(as path: FilePath, replace: Bool) throws(SystemError) {
        if let temporary {
            if replace {
                try FileSystem.rename(temporary, to: path)
            } else {
                try Self.link(temporary.string, to: path, flags: 0)
                try? FileSystem.remove(temporary)
            }
            self.temporary = nil
        } else {
            let source = "/proc/self/fd/\(descriptor.rawValue)"
            if replace, try FileSystem.status(path, followLinks: false) != nil {
                // link(2) never replaces, so a second name takes the place of the old file.
                let second = FilePath("\(path).\(randomIdentifier(bytes: 4)).tmp")
                try Self.link(source, to: second, flags: AT_SYMLINK_FOLLOW)
                do throws(SystemError) {
                    try FileSystem.rename(second, to: path)
                } catch {
                    try? FileSystem.remove(second)
                    throw error
                }
            } else {
                try Self.link(source, to: path, flags: AT_SYMLINK_FOLLOW)
            }
        }
        try FileSystem.synchronizeDirectory(folder)
    }

    private static func link(_ source: String, to path: FilePath, flags: CInt) throws(SystemError) {
        let result = unsafe path.withPlatformString { to in unsafe linkat(AT_FDCWD, source, AT_FDCWD, to, flags) }
        guard result == 0 else { throw SystemError("make", path, Errno(rawValue: errno)) }
    }
}
