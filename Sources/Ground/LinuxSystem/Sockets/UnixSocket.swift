import CLinux
import Glibc
public import SystemPackage

/// Stream sockets in the file system (unix(7)). The address holds 107 bytes; longer paths go through a descriptor of
/// their folder, so that a project may live anywhere.
public enum UnixSocket {
    /// Connects to the socket at `path`, and to nothing that a link there leads to: folders of sockets belong to
    /// processes which guests may have taken over, and who connects means their own.
    /// - Parameter milliseconds: How long the listener may take to have room for another connection. One that is stopped
    ///   or hangs never has, and nothing but this limit ends a connect(2) that waits for it.
    /// - Throws: `ENOTSOCK` for what is no socket, `ETIMEDOUT` if the listener had no room in time.
    public static func connect(
        to path: FilePath, milliseconds: Int64 = 10_000
    ) throws(SystemError) -> OwnedDescriptor {
        let file = try OwnedDescriptor.open(path, [.path, .noFollow])
        guard try file.status().kind == .socket else {
            throw SystemError("connect to", path, Errno(rawValue: ENOTSOCK))
        }
        let descriptor = try makeSocket()
        try descriptor.limitSending(milliseconds: milliseconds)
        do throws(SystemError) {
            unsafe try UnixSocketAddress(path, opened: file).perform("connect to") {
                unsafe linux_connect_unix(descriptor.rawValue, $0)
            }
        } catch {
            guard error.errno == .resourceTemporarilyUnavailable else { throw error }
            throw SystemError("connect to", path, .timedOut)
        }
        // Who writes later has limits of their own.
        try descriptor.limitSending(milliseconds: 0)
        return descriptor
    }

    /// Listens at `path`, replacing a dead socket there; the caller holds whatever lock makes that right. Mode 0600.
    public static func listen(at path: FilePath, backlog: CInt = 16) throws(SystemError) -> OwnedDescriptor {
        try FileSystem.remove(path)
        let descriptor = try makeSocket()
        // The mode is the socket's before bind(2) makes it visible, so there is no instant at which others can connect.
        _ = fchmod(descriptor.rawValue, 0o600)
        unsafe try withAddress(path, "listen at") { unsafe linux_bind_unix(descriptor.rawValue, $0) }
        _ = try checked(negativeErrno(Int(Glibc.listen(descriptor.rawValue, backlog))), "listen at", path)
        return descriptor
    }

    /// The next connection; nil if none waits and the listener is non-blocking.
    public static func accept(_ listener: borrowing OwnedDescriptor) throws(SystemError) -> OwnedDescriptor? {
        let result = linux_accept4(listener.rawValue, CInt(SOCK_CLOEXEC.rawValue))
        if result == -Int(EAGAIN) || result == -Int(EINTR) || result == -Int(ECONNABORTED) { return nil }
        return OwnedDescriptor(owning: CInt(try checked(result, "accept a connection")))
    }

    /// Two connected stream sockets; each can be read and written.
    public static func pair() throws(SystemError) -> DescriptorPair {
        var ends: [CInt] = [-1, -1]
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        _ = try checked(negativeErrno(Int(unsafe socketpair(AF_UNIX, kind, 0, &ends))), "make a socket pair")
        return DescriptorPair(read: OwnedDescriptor(owning: ends[0]), write: OwnedDescriptor(owning: ends[1]))
    }

    static func makeSocket() throws(SystemError) -> OwnedDescriptor {
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        return OwnedDescriptor(owning: CInt(try checked(negativeErrno(Int(socket(AF_UNIX, kind, 0))), "make a socket")))
    }

    static func withAddress(
        _ path: FilePath, _ operation: String, _ call: (UnsafePointer<sockaddr_un>) -> Int
    ) throws(SystemError) {
        unsafe try UnixSocketAddress(path).perform(operation, call)
    }
}
