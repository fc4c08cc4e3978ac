import Glibc
public import LinuxSystem
public import SSH

/// A server that does what a test tells it, and is none.
public final class FakeServer {
    public let port: UInt16
    private let descriptor: CInt
    public var transport: SSHTransport { .tcp(host: "127.0.0.1", port: port) }

    public init() throws {
        (descriptor, port) = try listeningSocket()
        listen(descriptor, 16)
    }

    /// Accepts one connection, in this thread.
    public func accept() -> OwnedDescriptor { OwnedDescriptor(owning: Glibc.accept(descriptor, nil, nil)) }

    deinit { close(descriptor) }
}

func listeningSocket() throws -> (CInt, UInt16) {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
        }
    }
    guard status == 0 else { throw TestServer.Failure(reason: "no free port") }
    return (descriptor, UInt16(bigEndian: address.sin_port))
}

/// A port that nobody listens on at the moment.
public func freePort() throws -> UInt16 {
    let (descriptor, port) = try listeningSocket()
    close(descriptor)
    return port
}
