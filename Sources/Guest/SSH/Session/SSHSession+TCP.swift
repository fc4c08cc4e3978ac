import LinuxSystem

extension SSHSession {
    /// Whether something accepts TCP connections, as seen from the guest.
    /// - Parameter host: As the guest resolves it.
    /// - Throws: ``SSHError/forwardingRefused(_:)`` if the server does not allow that.
    public func accepts(host: String = "127.0.0.1", port: UInt16) throws(SSHError) -> Bool {
        do {
            _ = try SSHChannel(self, connectingTo: host, port: port)
            return true
        } catch {
            if case .channelRefused = error { return false }
            throw error
        }
    }

    /// Sends `request` over a TCP connection that the guest makes, and reads until `limit` bytes or the end.
    /// - Throws: ``SSHError/channelRefused(_:)`` if nothing accepts the connection, ``SSHError/forwardingRefused(_:)``
    ///   if the server does not allow that.
    public func exchange(
        _ request: [UInt8], host: String, port: UInt16, limit: Int, milliseconds: Int64
    ) throws(SSHError) -> [UInt8] {
        let channel = try SSHChannel(self, connectingTo: host, port: port)
        var received: [UInt8] = []
        var pump = ChannelPump(
            channel, input: .held(request), limit: MonotonicClock.now.advanced(byMilliseconds: milliseconds),
            milliseconds: milliseconds)
        func isComplete() -> Bool { received.count >= limit }
        try withoutActuallyEscaping(isComplete) { isComplete throws(SSHError) in
            pump.isComplete = isComplete
            _ = try pump.run(output: { received += $0 }, error: { _ in })
            pump.isComplete = nil
        }
        return Array(received.prefix(limit))
    }
}
