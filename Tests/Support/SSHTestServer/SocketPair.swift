import Glibc
public import LinuxSystem

/// One end of a socket pair, in a form that fits in a tuple.
public final class SocketEnd {
    private var descriptor: OwnedDescriptor?
    public init(_ raw: CInt) { descriptor = OwnedDescriptor(owning: raw) }

    public var rawValue: CInt {
        switch descriptor {
        case .some(let descriptor): descriptor.rawValue
        case .none: -1
        }
    }

    public func take() throws -> OwnedDescriptor {
        guard let descriptor = descriptor.take() else { throw TestServer.Failure(reason: "taken before") }
        return descriptor
    }

    public func writeAll(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(rawValue, $0.baseAddress, $0.count) }
            guard count > 0 else { throw TestServer.Failure(reason: "the other end is gone") }
            rest.removeFirst(count)
        }
    }
    public func writeAll(_ text: String) throws { try writeAll(Array(text.utf8)) }
    public func close() { _ = descriptor.take() }
}

public func socketPair() throws -> (SocketEnd, SocketEnd) {
    var ends: [CInt] = [-1, -1]
    guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
        throw TestServer.Failure(reason: "no socket pair")
    }
    return (SocketEnd(ends[0]), SocketEnd(ends[1]))
}
