import Glibc

extension OwnedDescriptor {
    /// Tells the other side of a stream socket that nothing more will be sent. Its answers still arrive.
    public func endOutput() { _ = shutdown(rawValue, CInt(SHUT_WR)) }
}
