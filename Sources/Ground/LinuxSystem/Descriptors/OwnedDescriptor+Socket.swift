import CLinux
import Glibc

extension OwnedDescriptor {
    /// Tells the other side of a stream socket that nothing more will be sent. Its answers still arrive.
    public func endOutput() { _ = shutdown(rawValue, CInt(SHUT_WR)) }

    /// Ends each receiving from the socket by `EAGAIN` once it has lasted so long (socket(7), SO_RCVTIMEO).
    public func limitReceiving(milliseconds: Int64) throws(SystemError) {
        try limit(SO_RCVTIMEO, milliseconds)
    }

    /// How long a connect(2) to a Unix socket and a write may wait; 0 for no limit.
    func limitSending(milliseconds: Int64) throws(SystemError) { try limit(SO_SNDTIMEO, milliseconds) }

    private func limit(_ option: CInt, _ milliseconds: Int64) throws(SystemError) {
        var limit = timeval(tv_sec: Int(milliseconds / 1000), tv_usec: Int(milliseconds % 1000) * 1000)
        let size = socklen_t(MemoryLayout<timeval>.size)
        let result = unsafe setsockopt(rawValue, SOL_SOCKET, option, &limit, size)
        _ = try checked(negativeErrno(Int(result)), "limit how long a socket is waited for")
    }

    /// Who listens at the other side of a connected Unix socket, as the kernel knows it (unix(7), SO_PEERCRED): which
    /// process, as this process sees it, and which user.
    public var peerProcess: (identifier: Int32, user: UInt32)? {
        // struct ucred: pid, uid, gid; glibc has it only under _GNU_SOURCE.
        var credentials: (Int32, UInt32, UInt32) = (0, 0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: credentials))
        guard unsafe getsockopt(rawValue, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0,
            Int(size) == MemoryLayout.size(ofValue: credentials)
        else { return nil }
        return (credentials.0, credentials.1)
    }
}
