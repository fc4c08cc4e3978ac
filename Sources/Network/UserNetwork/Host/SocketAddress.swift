import Glibc
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage

/// An address and port of the host, IPv4 or IPv6, as the kernel's structure.
struct SocketAddress: Hashable {
    /// The bytes of a `sockaddr_in` or `sockaddr_in6`.
    private(set) var bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// - Parameter text: A numeric address; an IPv6 one may carry its scope, as in `fe80::1%eth0`.
    init?(_ text: String, port: UInt16) {
        var v4 = sockaddr_in()
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_port = port.bigEndian
        if unsafe inet_pton(AF_INET, text, &v4.sin_addr) == 1 {
            bytes = unsafe withUnsafeBytes(of: &v4) { unsafe Array($0) }
            return
        }
        let parts = text.split(separator: "%", maxSplits: 1)
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_port = port.bigEndian
        guard let first = parts.first, unsafe inet_pton(AF_INET6, String(first), &v6.sin6_addr) == 1 else { return nil }
        if parts.count == 2 { v6.sin6_scope_id = unsafe if_nametoindex(String(parts[1])) }
        bytes = unsafe withUnsafeBytes(of: &v6) { unsafe Array($0) }
    }

    init(_ address: IPv4Address, port: UInt16) {
        var v4 = sockaddr_in()
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_port = port.bigEndian
        v4.sin_addr.s_addr = address.rawValue.bigEndian
        bytes = unsafe withUnsafeBytes(of: &v4) { unsafe Array($0) }
    }

    init(_ address: IPv6Address, port: UInt16) {
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_port = port.bigEndian
        var halves = (address.high.bigEndian, address.low.bigEndian)
        unsafe withUnsafeMutableBytes(of: &v6.sin6_addr) { target in
            unsafe withUnsafeBytes(of: &halves) { unsafe target.copyMemory(from: $0) }
        }
        bytes = unsafe withUnsafeBytes(of: &v6) { unsafe Array($0) }
    }

    /// A non-blocking socket to connect to the address; nil if there can be none.
    func streamSocket() -> OwnedDescriptor? {
        let raw = socket(family, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        return raw < 0 ? nil : OwnedDescriptor(owning: raw)
    }

    var family: CInt { bytes.count == MemoryLayout<sockaddr_in>.size ? AF_INET : AF_INET6 }

    func withKernelAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes {
            // SAFETY: the array holds one of the two structures, both of which begin as sockaddr does.
            unsafe body($0.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
    }

    /// The port that a bound socket has.
    static func port(of raw: CInt) -> UInt16 {
        var address = sockaddr_in6()
        var count = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(raw, $0, &count) }
        }
        // The port is at the same place in both structures.
        return result == 0 ? UInt16(bigEndian: address.sin6_port) : 0
    }

    /// Clients that the kernel keeps waiting; it has a limit of its own, usually this.
    private static let backlog: CInt = 4096

    /// A non-blocking socket bound to the address; it listens if it is a stream socket.
    func bind(stream: Bool) throws(SystemError) -> OwnedDescriptor {
        let kind = stream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue
        let raw = socket(family, CInt(kind | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard raw >= 0 else { throw SystemError("make a socket", nil, Errno(rawValue: errno)) }
        let descriptor = OwnedDescriptor(owning: raw)
        var one: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        if stream { _ = unsafe setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &one, size) }
        if family == AF_INET6 { _ = unsafe setsockopt(raw, CInt(IPPROTO_IPV6), IPV6_V6ONLY, &one, size) }
        guard unsafe withKernelAddress({ unsafe Glibc.bind(raw, $0, $1) }) == 0,
            !stream || listen(raw, Self.backlog) == 0
        else {
            throw SystemError("listen", nil, Errno(rawValue: errno))
        }
        return descriptor
    }
}
