import Digest
import Glibc
import LinuxSystem
import SystemPackage

/// Names for files whose own names other languages would misread: a project may be in any folder, with quotes, `%`,
/// `${HOME}` or bytes that are not text in its path. ssh_config(5) alone reads paths in three ways, and has no escape
/// for `${`.
enum PlainPath {
    /// How long a link may lead nowhere, in seconds: somebody's ssh_config(5) may have it, and a drive be mounted
    /// again.
    private static let patience: Int64 = 28 * 24 * 3600

    /// The path itself if it is plain, or else that of a link to it that is. The link stays until it has led nowhere
    /// for weeks.
    static func of(_ path: FilePath) throws -> String {
        if isPlain(path) { return path.string }
        let folder = try folder()
        let bytes = path.withPlatformString { name in
            UnsafeBufferPointer(start: name, count: strlen(name)).map { UInt8(bitPattern: $0) }
        }
        let link = folder.appending(String(SHA256Digest(of: bytes).hexadecimal.prefix(24)))
        if (try? FileSystem.readLink(link)) == path { return link.string }
        // Made beside it and renamed, so that it never leads elsewhere.
        let new = folder.appending(".\(randomIdentifier(bytes: 8))")
        let status = path.withPlatformString { target in new.withPlatformString { symlink(target, $0) } }
        guard status == 0 else { throw SystemError("make the link", new, Errno(rawValue: errno)) }
        setTime(of: new, 0)
        try FileSystem.rename(new, to: link)
        return link.string
    }

    static func isPlain(_ path: FilePath) -> Bool {
        path.withPlatformString { name in
            UnsafeBufferPointer(start: name, count: strlen(name)).allSatisfy { byte in
                switch UInt8(bitPattern: byte) {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"), UInt8(ascii: "+"):
                    true
                default: false
                }
            }
        }
    }

    /// Where the links are: with the user's other state, or, if the home folder's name is not plain either, in a folder
    /// of the user's own that the system made, or in one in /tmp.
    private static func folder() throws -> FilePath {
        let state = (try? KnownEnvironments.standard().folder.removingLastComponent())?.appending("links")
        let runtime = UserFolders.runtime?.pushing("wander")
        for folder in [state, runtime, FilePath("/tmp/wander-\(getuid())")].compactMap(\.self)
        where folder.isAbsolute && isPlain(folder) {
            try FileSystem.makeDirectory(folder, permissions: 0o700)
            let status = try FileSystem.status(folder, followLinks: false)
            guard status?.kind == .directory, status?.owner == getuid(), (status?.permissions ?? 0) & 0o022 == 0 else {
                throw SystemError("keep links in", folder, .notPermitted)
            }
            removeDangling(in: folder, now: wallClockSeconds())
            return folder
        }
        throw SystemError("find a folder with a plain name for links", nil, .noSuchFileOrDirectory)
    }

    /// Those of projects that are gone. A link's own time says since when it has been seen to lead nowhere; 0 of one
    /// that did lead somewhere when it was last looked at.
    static func removeDangling(in folder: FilePath, now: Int64) {
        for name in (try? FileSystem.list(folder)) ?? [] where !name.hasPrefix(".") {
            let link = folder.appending(name)
            guard let since = (try? FileSystem.status(link, followLinks: false))??.modified else { continue }
            if !FileSystem.isAbsent(link) {
                if since != 0 { setTime(of: link, 0) }
            } else if since == 0 {
                setTime(of: link, now)
            } else if now - since > patience {
                try? FileSystem.remove(link)
            }
        }
    }

    private static func setTime(of link: FilePath, _ seconds: Int64) {
        let time = timespec(tv_sec: Int(seconds), tv_nsec: 0)
        _ = link.withPlatformString { utimensat(AT_FDCWD, $0, [time, time], AT_SYMLINK_NOFOLLOW) }
    }
}
