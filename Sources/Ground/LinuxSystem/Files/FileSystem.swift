import CLinux
import Glibc
public import SystemPackage

/// What stat(2) tells.
public struct FileStatus: Sendable {
    public enum Kind: Sendable { case regular, directory, symbolicLink, socket, other }
    public var kind: Kind
    /// In bytes.
    public var size: Int64
    /// Bytes of disk actually used.
    public var allocated: Int64
    /// The permission bits, with set-user-id and so on.
    public var permissions: UInt32
    public var device: UInt64
    public var inode: UInt64
    public var owner: UInt32
    /// Seconds since 1970.
    public var modified: Int64
    public var modifiedNanoseconds: Int64

    init(_ status: stat) {
        kind =
            linux_is_regular(status.st_mode) != 0
            ? .regular
            : linux_is_directory(status.st_mode) != 0
                ? .directory
                : linux_is_link(status.st_mode) != 0
                    ? .symbolicLink : linux_is_socket(status.st_mode) != 0 ? .socket : .other
        size = Int64(status.st_size)
        allocated = Int64(status.st_blocks) * 512
        permissions = status.st_mode & 0o7777
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        owner = status.st_uid
        modified = Int64(status.st_mtim.tv_sec)
        modifiedNanoseconds = Int64(status.st_mtim.tv_nsec)
    }
}

extension OwnedDescriptor {
    public func status() throws(SystemError) -> FileStatus {
        var status = stat()
        _ = try checked(negativeErrno(Int(unsafe fstat(rawValue, &status))), "look at a file")
        return FileStatus(status)
    }
}

/// Operations on names in the file system.
public enum FileSystem {
    /// nil if there is nothing at `path`.
    public static func status(_ path: FilePath, followLinks: Bool = true) throws(SystemError) -> FileStatus? {
        var status = stat()
        let result = unsafe negativeErrno(
            Int(
                path.withPlatformString {
                    unsafe fstatat(AT_FDCWD, $0, &status, followLinks ? 0 : AT_SYMLINK_NOFOLLOW)
                }))
        if result == -Int(ENOENT) || result == -Int(ENOTDIR) { return nil }
        _ = try checked(result, "look at", path)
        return FileStatus(status)
    }

    /// Whether there is something at `path`. A look-up that fails (EIO, EACCES, ESTALE of a server) is an error and no
    /// answer: what is then made or removed would be in the place of what is there.
    public static func exists(_ path: FilePath) throws(SystemError) -> Bool { try status(path) != nil }
    public static func isDirectory(_ path: FilePath) throws(SystemError) -> Bool {
        try status(path)?.kind == .directory
    }

    /// Whether there certainly is nothing at `path`. False also if that cannot be found out: for callers that open it
    /// next, and meet the error there.
    public static func isAbsent(_ path: FilePath) -> Bool {
        do throws(SystemError) { return try status(path) == nil } catch { return false }
    }

    /// Makes the directory and its missing parents.
    /// - Parameter permissions: Of the directories that the call creates.
    public static func makeDirectory(_ path: FilePath, permissions: UInt32 = 0o755) throws(SystemError) {
        let result = unsafe negativeErrno(Int(path.withPlatformString { unsafe mkdir($0, permissions) }))
        if result == -Int(ENOENT) {
            let parent = path.removingLastComponent()
            guard !parent.isEmpty, parent != path else {
                throw SystemError("make the folder", path, .noSuchFileOrDirectory)
            }
            try makeDirectory(parent, permissions: permissions)
            let again = unsafe negativeErrno(Int(path.withPlatformString { unsafe mkdir($0, permissions) }))
            if again == -Int(EEXIST) { return }
            _ = try checked(again, "make the folder", path)
            return
        }
        if result == -Int(EEXIST), try isDirectory(path) { return }
        _ = try checked(result, "make the folder", path)
    }

    /// The names in a directory, sorted, without `.` and `..`.
    public static func list(_ path: FilePath) throws(SystemError) -> [String] {
        guard let handle = unsafe path.withPlatformString({ unsafe opendir($0) }) else {
            throw SystemError("read the folder", path, Errno(rawValue: Glibc.errno))
        }
        defer { unsafe closedir(handle) }
        return try unsafe names(handle, path).map(\.string).sorted()
    }

    /// The rest of the names in an open folder, as they come, without `.` and `..`.
    /// - Parameter path: What to call the folder in an error.
    static func names(_ handle: OpaquePointer, _ path: FilePath?) throws(SystemError) -> [FilePath] {
        var names: [FilePath] = []
        while true {
            // The end and a failure give the same answer; only errno tells them apart.
            Glibc.errno = 0
            guard let entry = unsafe readdir(handle) else {
                guard Glibc.errno == 0 else {
                    throw SystemError("read the folder", path, Errno(rawValue: Glibc.errno))
                }
                return names
            }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe FilePath(platformString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// Removes a file or link. Nothing there is no error.
    public static func remove(_ path: FilePath) throws(SystemError) {
        let result = unsafe negativeErrno(Int(path.withPlatformString { unsafe unlink($0) }))
        if result == -Int(ENOENT) { return }
        _ = try checked(result, "remove", path)
    }

    /// Removes a directory and all below it without following links. Nothing there is no error.
    public static func removeTree(_ path: FilePath) throws(SystemError) {
        guard let status = try status(path, followLinks: false) else { return }
        guard status.kind == .directory else { return try remove(path) }
        for name in try list(path) { try removeTree(path.appending(name)) }
        let result = unsafe negativeErrno(Int(path.withPlatformString { unsafe rmdir($0) }))
        if result == -Int(ENOENT) { return }
        _ = try checked(result, "remove the folder", path)
    }

    /// Renames within a file system, replacing what is at `target`.
    public static func rename(_ source: FilePath, to target: FilePath) throws(SystemError) {
        let result = unsafe negativeErrno(
            Int(
                source.withPlatformString { from in
                    unsafe target.withPlatformString { to in unsafe Glibc.rename(from, to) }
                }))
        _ = try checked(result, "rename to", target)
    }

    /// Gives a file a second name. A name that is taken is an error.
    public static func link(_ source: FilePath, to target: FilePath) throws(SystemError) {
        let result = unsafe negativeErrno(
            Int(
                source.withPlatformString { from in
                    unsafe target.withPlatformString { to in unsafe Glibc.link(from, to) }
                }))
        _ = try checked(result, "give a second name to", target)
    }

    /// Forces the names in a directory to the disk.
    public static func synchronizeDirectory(_ path: FilePath) throws(SystemError) {
        try OwnedDescriptor.open(path.isEmpty ? "." : path, [.readOnly, .directory]).synchronize()
    }

    public static func setPermissions(_ path: FilePath, _ permissions: UInt32) throws(SystemError) {
        _ = unsafe try checked(
            negativeErrno(Int(path.withPlatformString { unsafe chmod($0, permissions) })), "set the permissions of",
            path)
    }

    /// The absolute path with every link resolved.
    public static func resolve(_ path: FilePath) throws(SystemError) -> FilePath {
        let resolved: FilePath? = unsafe path.withPlatformString { name in
            guard let text = unsafe realpath(name, nil) else { return nil }
            defer { unsafe free(text) }
            return unsafe FilePath(platformString: text)
        }
        guard let resolved else { throw SystemError("find", path, Errno(rawValue: Glibc.errno)) }
        return resolved
    }

    public static var currentDirectory: FilePath {
        guard let text = unsafe getcwd(nil, 0) else { return "." }
        defer { unsafe free(text) }
        return unsafe FilePath(platformString: text)
    }

    /// Bytes that an unprivileged user may still write to the file system of `path`.
    public static func freeBytes(_ path: FilePath) throws(SystemError) -> UInt64 {
        var result = statvfs()
        _ = unsafe try checked(
            negativeErrno(Int(path.withPlatformString { unsafe statvfs($0, &result) })), "look at the file system of",
            path)
        return UInt64(result.f_bavail) &* UInt64(result.f_frsize)
    }

    /// Reads a whole file.
    /// - Parameter limit: In bytes; a longer file is an error (`EFBIG`).
    public static func read(_ path: FilePath, limit: Int = 64 << 20) throws(SystemError) -> [UInt8] {
        do {
            return try OwnedDescriptor.open(path, .readOnly).readAll(limit: limit)
        } catch { throw SystemError("read", path, error.errno) }
    }

    /// Reads a whole file; nil if there certainly is none.
    public static func readIfThere(_ path: FilePath, limit: Int = 64 << 20) throws(SystemError) -> [UInt8]? {
        do {
            return try read(path, limit: limit)
        } catch {
            guard error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory else { throw error }
            return nil
        }
    }
}
