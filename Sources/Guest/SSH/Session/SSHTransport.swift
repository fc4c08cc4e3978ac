import Glibc
public import LinuxSystem
public import SystemPackage

/// An address at which a stream reaches an SSH server.
public enum SSHTransport: Hashable, Sendable, CustomStringConvertible {
    /// An IPv4 or IPv6 address, or `localhost`. Names are not looked up: wander's guests are reached through forwarded
    /// ports, and a name server that does not answer would hold up every command.
    case tcp(host: String, port: UInt16)
    /// A stream socket in the file system whose other end leads to the guest's SSH port.
    case unixSocket(FilePath)

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixSocket(let path): path.string
        }
    }

    /// Connects. The descriptor is non-blocking.
    /// - Parameter milliseconds: How long a TCP connection may take.
    public func connect(
        milliseconds: Int64 = 10_000, cancellation: Cancellation? = nil
    ) throws(SSHError) -> OwnedDescriptor {
        do {
            switch self {
            case .unixSocket(let path):
                let descriptor = try UnixSocket.connect(to: path)
                try descriptor.setNonBlocking()
                return descriptor
            case .tcp(let host, let port):
                let family = host.contains(":") ? AF_INET6 : AF_INET
                let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
                let raw = socket(family, kind, 0)
                guard raw >= 0 else { throw SystemError("make a socket", nil, Errno(rawValue: Glibc.errno)) }
                let descriptor = OwnedDescriptor(owning: raw)
                try Self.connect(descriptor, host == "localhost" ? "127.0.0.1" : host, port, milliseconds, cancellation)
                return descriptor
            }
        } catch let error as SSHError {
            throw error
        } catch let error as SystemError {
            throw failure(error.errno, milliseconds)
        } catch {
            throw .unreachable(description, .ioError)
        }
    }

    private func failure(_ errno: Errno, _ milliseconds: Int64) -> SSHError {
        switch errno {
        // A socket file that is not there yet is a listener that is not there yet.
        case .connectionRefused, .noSuchFileOrDirectory: .refused(description)
        case .connectionReset: .reset(.connection)
        case .timedOut: .timedOut(.connection, milliseconds: milliseconds)
        default: .unreachable(description, errno)
        }
    }

    private static func connect(
        _ descriptor: borrowing OwnedDescriptor, _ host: String, _ port: UInt16, _ milliseconds: Int64,
        _ cancellation: Cancellation?
    ) throws {
        let raw = descriptor.rawValue
        let started: CInt
        if host.contains(":") {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            guard inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else { throw SSHError.notAnAddress(host) }
            started = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(raw, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { throw SSHError.notAnAddress(host) }
            started = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        if started < 0 {
            guard Glibc.errno == EINPROGRESS else { throw SystemError("connect", nil, Errno(rawValue: Glibc.errno)) }
            let limit = Int32(clamping: milliseconds)
            let ready = try waitUntilReady(raw, for: .writable, milliseconds: limit, cancellation: cancellation)
            if cancellation?.isRequested == true { throw SSHError.interrupted }
            guard ready else { throw SystemError("connect", nil, .timedOut) }
            var status: CInt = 0
            var size = socklen_t(MemoryLayout<CInt>.size)
            getsockopt(raw, SOL_SOCKET, SO_ERROR, &status, &size)
            guard status == 0 else { throw SystemError("connect", nil, Errno(rawValue: status)) }
        }
        // Requests and their answers are small: without this every one of them waits for the peer's delayed ACK.
        var enabled: CInt = 1
        setsockopt(raw, CInt(IPPROTO_TCP), TCP_NODELAY, &enabled, socklen_t(MemoryLayout<CInt>.size))
    }
}
