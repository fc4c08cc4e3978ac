import CLinux
import Glibc
public import SystemPackage

/// A file descriptor with one owner, closed exactly once: when the value ends, or by ``close()``.
public struct OwnedDescriptor: ~Copyable, Sendable {
    public let rawValue: CInt

    /// Takes ownership of an open descriptor.
    public init(owning rawValue: CInt) { self.rawValue = rawValue }

    deinit { _ = Glibc.close(rawValue) }

    /// Closes now. Errors of close(2) say nothing that `fsync` did not say before, so none is returned.
    public consuming func close() {}

    /// Gives the descriptor up without closing it.
    public consuming func release() -> CInt {
        let value = rawValue
        discard self
        return value
    }

    /// Opens a file. The descriptor is close-on-exec.
    /// - Parameter permissions: For files that the call creates; the process's umask applies.
    public static func open(
        _ path: FilePath, _ flags: OpenFlags, permissions: UInt32 = 0o644, at directory: CInt? = nil
    ) throws(SystemError) -> OwnedDescriptor {
        let raw = try retrying("open", path) {
            unsafe path.withPlatformString {
                unsafe linux_openat(directory ?? AT_FDCWD, $0, flags.rawValue | O_CLOEXEC, permissions)
            }
        }
        return OwnedDescriptor(owning: CInt(raw))
    }

    /// A second descriptor for the same open file description.
    public func duplicate() throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(owning: CInt(try checked(linux_fcntl(rawValue, F_DUPFD_CLOEXEC, 3), "duplicate a descriptor")))
    }

    /// Both ends of a pipe.
    public static func pipe() throws(SystemError) -> DescriptorPair {
        var ends: [CInt] = [-1, -1]
        _ = try checked(unsafe linux_pipe2(&ends, O_CLOEXEC), "make a pipe")
        return DescriptorPair(read: OwnedDescriptor(owning: ends[0]), write: OwnedDescriptor(owning: ends[1]))
    }

    public struct OpenFlags: OptionSet, Sendable {
        public let rawValue: CInt
        public init(rawValue: CInt) { self.rawValue = rawValue }
        public static let readOnly = Self([])
        public static let writeOnly = Self(rawValue: O_WRONLY)
        public static let readWrite = Self(rawValue: O_RDWR)
        public static let create = Self(rawValue: O_CREAT)
        public static let exclusive = Self(rawValue: O_EXCL)
        public static let truncate = Self(rawValue: O_TRUNC)
        public static let append = Self(rawValue: O_APPEND)
        /// Only a name for the file, which Landlock does not mind (O_PATH).
        public static let path = Self(rawValue: CInt(linux_open_path))
        public static let directory = Self(rawValue: O_DIRECTORY)
        public static let noFollow = Self(rawValue: O_NOFOLLOW)
        public static let nonBlocking = Self(rawValue: O_NONBLOCK)
    }
}

extension OwnedDescriptor {
    /// Makes reads and writes return `EAGAIN` instead of waiting.
    public func setNonBlocking(_ enabled: Bool = true) throws(SystemError) {
        let flags = try checked(linux_fcntl(rawValue, F_GETFL, 0), "read descriptor flags")
        let wanted = enabled ? flags | Int(O_NONBLOCK) : flags & ~Int(O_NONBLOCK)
        _ = try checked(linux_fcntl(rawValue, F_SETFL, wanted), "set descriptor flags")
    }

    /// Whether a child process gets this descriptor under the same number.
    public func setInheritable(_ inheritable: Bool) throws(SystemError) {
        _ = try checked(linux_fcntl(rawValue, F_SETFD, inheritable ? 0 : Int(FD_CLOEXEC)), "set descriptor flags")
    }
}

/// Two descriptors of which what is written to one is read from the other. Take them apart before one is closed.
public struct DescriptorPair: ~Copyable, Sendable {
    public var read: OwnedDescriptor
    public var write: OwnedDescriptor

    /// Closes the writing end and gives the reading end.
    public consuming func keepRead() -> OwnedDescriptor { read }
    /// Closes the reading end and gives the writing end.
    public consuming func keepWrite() -> OwnedDescriptor { write }
}
