import CLinux
import Glibc
public import SystemPackage

/// Where a socket is in the file system. A long path's folder stays open, so that a process that may not open files any
/// more can still connect there, again and again; on demand a short one's too, so that it is found after a move.
public final class UnixSocketAddress: Sendable {
    /// What `sun_path` holds besides its final zero, in bytes (unix(7)).
    private static let limit = 107

    private let path: FilePath
    private let folder: OwnedDescriptor?
    /// What is given to the kernel: the path, or one that begins at ``folder``.
    private let shortPath: FilePath

    /// - Parameter followsMoves: Whether the socket is meant that is in the folder which has the path now, wherever
    ///   that is moved.
    public init(_ path: FilePath, followsMoves: Bool = false) throws(SystemError) {
        self.path = path
        guard followsMoves || path.string.utf8.count > Self.limit, let name = path.lastComponent else {
            folder = nil
            rawDescriptor = nil
            shortPath = path
            return
        }
        let parent = path.removingLastComponent()
        let opened = try OwnedDescriptor.open(parent.isEmpty ? "." : parent, [.path, .directory])
        shortPath = FilePath("/proc/self/fd/\(opened.rawValue)").appending(name)
        rawDescriptor = opened.rawValue
        folder = consume opened
    }

    /// The socket that is open as `file`, for as long as that is open.
    /// - Parameter path: What errors call it.
    init(_ path: FilePath, opened file: borrowing OwnedDescriptor) {
        self.path = path
        folder = nil
        rawDescriptor = nil
        shortPath = FilePath("/proc/self/fd/\(file.rawValue)")
    }

    /// What the address needs to stay open; nil if nothing.
    let rawDescriptor: CInt?

    /// Connects to whatever listens there now.
    public func connect() throws(SystemError) -> OwnedDescriptor {
        let descriptor = try UnixSocket.makeSocket()
        unsafe try perform("connect to") { unsafe linux_connect_unix(descriptor.rawValue, $0) }
        return descriptor
    }

    /// A socket whose messages go to whatever receives there now.
    /// - Throws: `ECONNREFUSED` or `ENOENT` if nobody does.
    public func connectDatagram() throws(SystemError) -> OwnedDescriptor {
        let descriptor = try UnixSocket.makeDatagramSocket()
        unsafe try perform("send to") { unsafe linux_connect_unix(descriptor.rawValue, $0) }
        return descriptor
    }

    func perform(_ operation: String, _ call: (UnsafePointer<sockaddr_un>) -> Int) throws(SystemError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(shortPath.string.utf8)
        guard bytes.count <= Self.limit else { throw SystemError(operation, path, .fileNameTooLong) }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        // This object keeps the folder open for as long as the call lasts.
        let result = withExtendedLifetime(self) {
            unsafe withUnsafePointer(to: &address) { unsafe call($0) }
        }
        _ = try checked(result, operation, path)
    }
}
