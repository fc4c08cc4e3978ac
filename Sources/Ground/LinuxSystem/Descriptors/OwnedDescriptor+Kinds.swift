import CLinux
import Glibc
public import SystemPackage

extension OwnedDescriptor {
    /// A file in memory that has no name, to be read from its start: for what another process is to be told.
    public static func memoryFile(_ bytes: [UInt8]) throws(SystemError) -> OwnedDescriptor {
        let raw = unsafe linux_memfd_create("told", 1)  // MFD_CLOEXEC
        let file = OwnedDescriptor(owning: CInt(try checked(raw, "make a memory file")))
        try file.writeAll(bytes)
        // Whoever inherits it reads from where this one stands.
        _ = lseek(file.rawValue, 0, SEEK_SET)
        return file
    }

    /// Opens a log to be added to, in a folder that a process may write to which is not trusted: what is no plain file
    /// there, such as a link or a pipe, gives way to one. Mode 0600.
    public static func openLog(_ path: FilePath) throws(SystemError) -> OwnedDescriptor {
        // Nobody waits for the other end of a pipe.
        let flags: OpenFlags = [.readWrite, .create, .append, .noFollow, .nonBlocking]
        do throws(SystemError) {
            let file = try open(path, flags, permissions: 0o600)
            if try file.status().kind == .regular { return file }
        } catch {
            guard [Errno.tooManySymbolicLinkLevels, .noSuchAddressOrDevice].contains(error.errno) else { throw error }
        }
        try FileSystem.remove(path)
        return try open(path, [flags, .exclusive], permissions: 0o600)
    }
}
