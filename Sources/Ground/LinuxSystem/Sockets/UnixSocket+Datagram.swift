import CLinux
import Glibc
public import SystemPackage

// Datagram sockets in the file system: each message arrives whole, and there is no connection that could break.
extension UnixSocket {
    /// Receives at `path`, replacing a dead socket there; the caller holds whatever lock makes that right. Mode 0600.
    public static func bindDatagram(at path: FilePath) throws(SystemError) -> OwnedDescriptor {
        try FileSystem.remove(path)
        let descriptor = try makeDatagramSocket()
        _ = fchmod(descriptor.rawValue, 0o600)
        unsafe try withAddress(path, "receive at") { unsafe linux_bind_unix(descriptor.rawValue, $0) }
        return descriptor
    }

    static func makeDatagramSocket() throws(SystemError) -> OwnedDescriptor {
        let kind = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        return OwnedDescriptor(owning: CInt(try checked(negativeErrno(Int(socket(AF_UNIX, kind, 0))), "make a socket")))
    }
}
