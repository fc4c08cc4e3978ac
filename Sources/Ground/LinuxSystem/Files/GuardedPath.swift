import CLinux
import Glibc
public import SystemPackage

/// A file or folder of the host in a folder that others may write to, such as guests. They may put links there at any
/// time: what is opened by this name lies in that folder at that very moment, wherever the links lead.
public struct GuardedPath: Hashable, Sendable {
    public let path: FilePath
    /// What `path` may not leave; nil for a path in which nobody else has a hand.
    public let folder: FilePath?

    /// - Parameter folders: Absolute. The outermost that `path` is in counts, since whoever writes there may replace
    ///   the inner.
    public init(_ path: FilePath, outOf folders: [FilePath] = []) {
        let path = path.lexicallyNormalized()
        self.path = path
        folder = folders.map { $0.lexicallyNormalized() }.filter { path.starts(with: $0) }
            .min { $0.components.count < $1.components.count }
    }

    /// Opens a file or a folder for reading; a pipe without a writer does not hold it up.
    /// - Throws: `EXDEV` if it is outside of the folder or in a `.wander`, which is hidden from guests.
    public func open() throws(SystemError) -> OwnedDescriptor {
        guard let folder else { return try .open(path, [.readOnly, .nonBlocking]) }
        let root = try OwnedDescriptor.open(folder, [.readOnly, .directory])
        let rest = FilePath(root: nil, path.components.dropFirst(folder.components.count))
        let opened = try root.openBeneath(rest.isEmpty ? "." : rest, [.readOnly, .nonBlocking], following: true)
        // Where it lies now. What is called `.wander` is out of the guest's reach, so that this stays true.
        let inside = try root.path().components.count
        guard try !opened.path().components.dropFirst(inside).contains(".wander") else {
            throw SystemError("open", path, Errno(rawValue: EXDEV))
        }
        return opened
    }

    /// Opens a file for reading. What is no plain file is none to wait for: a pipe has no writer, a device no end.
    /// - Throws: `EISDIR` for a folder, `EINVAL` for a pipe, a socket or a device.
    public func openFile() throws(SystemError) -> OwnedDescriptor {
        let file: OwnedDescriptor
        do throws(SystemError) { file = try open() } catch {
            // As a socket is opened, or a device that is not there.
            throw error.errno == .noSuchAddressOrDevice ? SystemError("read", path, .invalidArgument) : error
        }
        switch try file.status().kind {
        case .regular: return file
        case .directory: throw SystemError("read", path, .isDirectory)
        default: throw SystemError("read", path, .invalidArgument)
        }
    }

    /// What is there, through links; nil if nothing is.
    public func status() throws(SystemError) -> FileStatus? {
        guard folder != nil else { return try FileSystem.status(path) }
        do { return try open().status() } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw error
        }
    }

    /// Reads a whole file.
    /// - Parameter limit: In bytes; a longer file is an error (`EFBIG`).
    public func read(limit: Int = 64 << 20) throws(SystemError) -> [UInt8] {
        do throws(SystemError) {
            return try openFile().readAll(limit: limit)
        } catch { throw SystemError("read", path, error.errno) }
    }
}

extension OwnedDescriptor {
    /// Opens what is beneath this folder (openat2(2)): never what a link or `..` outside of it leads to.
    /// - Parameter following: Whether links may be followed at all.
    /// - Throws: `EXDEV` for what leads out, `ELOOP` for a link that may not be followed.
    public func openBeneath(
        _ path: FilePath, _ flags: OpenFlags, following: Bool = false
    ) throws(SystemError) -> OwnedDescriptor {
        // linux/openat2.h: RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS.
        let resolve: UInt64 = 0x08 | 0x02 | (following ? 0 : 0x04)
        let bits = UInt64(UInt32(bitPattern: flags.rawValue | O_CLOEXEC | (following ? 0 : O_NOFOLLOW)))
        var how = (bits, UInt64(0), resolve)
        let folder = UInt(bitPattern: Int(rawValue))
        let raw = try retrying("open", path) {
            unsafe path.withPlatformString { name in
                unsafe withUnsafePointer(to: &how) { how in
                    linux_syscall(
                        Int(SYS_openat2), folder, UInt(bitPattern: name), UInt(bitPattern: how), 24, 0)
                }
            }
        }
        return OwnedDescriptor(owning: CInt(raw))
    }

    /// The name that the open file has now.
    public func path() throws(SystemError) -> FilePath {
        try FileSystem.readLink(FilePath("/proc/self/fd/\(rawValue)"))
    }

    /// The names in an open folder, sorted, without `.` and `..`.
    public func names() throws(SystemError) -> [FilePath] {
        guard let handle = unsafe fdopendir(try duplicate().release()) else {
            throw SystemError("read a folder", nil, Errno(rawValue: Glibc.errno))
        }
        defer { unsafe closedir(handle) }
        unsafe rewinddir(handle)
        return try unsafe FileSystem.names(handle, nil).sorted { $0.string < $1.string }
    }
}

extension FileSystem {
    /// Where a link leads, as it says.
    public static func readLink(_ path: FilePath, at directory: CInt? = nil) throws(SystemError) -> FilePath {
        var buffer = [CChar](repeating: 0, count: 4097)
        let count = unsafe path.withPlatformString { name in
            unsafe negativeErrno(readlinkat(directory ?? AT_FDCWD, name, &buffer, 4096))
        }
        _ = try checked(count, "read the link", path)
        return FilePath(platformString: buffer)
    }
}
