import CLibSSH2
import Glibc
import LinuxSystem
import Reporting
import SystemPackage

extension SSHSession {
    /// Repeats a call of libssh2 until it no longer asks to wait.
    /// - Parameter limit: nil waits until the session's own deadline.
    @discardableResult
    func perform(
        _ layer: SSHLayer, until limit: MonotonicClock? = nil, milliseconds: Int64 = 0, _ call: () -> CInt
    ) throws(SSHError) -> CInt {
        while true {
            let status = call()
            if status >= 0 { return status }
            guard status == LIBSSH2_ERROR_EAGAIN else { throw failure(status, layer) }
            try waitForPeer(layer, until: limit, milliseconds: milliseconds)
        }
    }

    /// As `perform`, limited by the time that one step may take.
    @discardableResult
    func performStep(_ layer: SSHLayer, _ call: () -> CInt) throws(SSHError) -> CInt {
        let limit = MonotonicClock.now.advanced(byMilliseconds: options.stepMilliseconds)
        return try perform(layer, until: limit, milliseconds: options.stepMilliseconds, call)
    }

    /// As `perform`, for calls that return an object.
    func performStep(_ layer: SSHLayer, creating call: () -> OpaquePointer?) throws(SSHError) -> OpaquePointer {
        let limit = MonotonicClock.now.advanced(byMilliseconds: options.stepMilliseconds)
        while true {
            if let object = call() { return object }
            let status = libssh2_session_last_errno(handle)
            guard status == LIBSSH2_ERROR_EAGAIN else { throw failure(status, layer) }
            try waitForPeer(layer, until: limit, milliseconds: options.stepMilliseconds)
        }
    }

    /// Waits until libssh2 can go on: the direction is the one it last stopped at.
    func waitForPeer(_ layer: SSHLayer, until limit: MonotonicClock?, milliseconds: Int64) throws(SSHError) {
        let directions = libssh2_session_block_directions(handle)
        var interest: Poller.Interest = []
        if directions & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0 { interest.insert(.writable) }
        if directions & LIBSSH2_SESSION_BLOCK_INBOUND != 0 || interest.isEmpty { interest.insert(.readable) }
        try wait(layer, for: interest, until: limit, milliseconds: milliseconds)
    }

    /// Waits for the connection, or for `other` to become readable.
    /// - Parameters:
    ///   - limit: Beyond it the wait throws ``SSHError/timedOut(_:milliseconds:)`` with `milliseconds`.
    ///   - pause: Returns after so many milliseconds although nothing happened.
    func wait(
        _ layer: SSHLayer, for interest: Poller.Interest, until limit: MonotonicClock? = nil, milliseconds: Int64 = 0,
        other: CInt = -1, pause: Int64? = nil
    ) throws(SSHError) {
        let end = [limit, deadline].compactMap(\.self).min()
        let pauseEnd = pause.map { MonotonicClock.now.advanced(byMilliseconds: $0) }
        while true {
            if options.cancellation?.isRequested == true { throw .interrupted }
            let now = MonotonicClock.now
            if let end, now >= end { throw .timedOut(layer, milliseconds: milliseconds) }
            if let pauseEnd, now >= pauseEnd { return }
            var left: [Int64] = [end, pauseEnd].compactMap { $0?.milliseconds(since: now) }
            if layer == .channel { left.append(try keepAlive(now)) }
            stream.flush()
            let events = Self.events(interest)
            let queued = stream.queuedCount > 0 ? Int16(POLLOUT) : 0
            var set = [
                pollfd(fd: stream.rawDescriptor, events: events | queued, revents: 0),
                pollfd(fd: other, events: Int16(POLLIN), revents: 0),
                pollfd(fd: options.cancellation?.rawDescriptor ?? -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: options.endedDescriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&set, nfds_t(set.count), left.min().map { CInt(clamping: max(0, $0)) } ?? -1)
            if count < 0, errno != EINTR { throw .system(SystemError("wait", nil, Errno(rawValue: errno))) }
            guard count > 0 else { continue }
            if set[2].revents != 0 { throw .interrupted }
            // Room for what is queued already is no news to the caller.
            let answer = set[0].revents & (events | Int16(POLLERR) | Int16(POLLHUP))
            if answer != 0 || set[1].revents != 0 { return }
            // Only now, so that the peer's last words are read first.
            if set[3].revents != 0 { throw .machineEnded }
        }
    }

    /// With nothing to be waited for, the peer's end counts alone, though it may still read (poll(2), POLLRDHUP).
    private static func events(_ interest: Poller.Interest) -> Int16 {
        if interest.isEmpty { return 0x2000 }
        return (interest.contains(.readable) ? Int16(POLLIN) : 0) | (interest.contains(.writable) ? Int16(POLLOUT) : 0)
    }

    /// Sends a keep-alive message when one is due.
    /// - Returns: Milliseconds until the next.
    private func keepAlive(_ now: MonotonicClock) throws(SSHError) -> Int64 {
        let silence = now.milliseconds(since: stream.lastReceived)
        let patience = Int64(options.keepAliveSeconds) * options.keepAliveLimit * 1000
        if options.keepAliveSeconds > 0, silence > patience { throw .timedOut(.channel, milliseconds: silence) }
        var seconds: CInt = 0
        let status = libssh2_keepalive_send(handle, &seconds)
        if status < 0, status != LIBSSH2_ERROR_EAGAIN { throw failure(status, .channel) }
        return seconds > 0 ? Int64(seconds) * 1000 : 60_000
    }

    /// Words a status of libssh2, using its own message while the session still has it.
    func failure(_ status: CInt, _ layer: SSHLayer) -> SSHError {
        switch status {
        case LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_CHANNEL_CLOSED: return .closed(layer)
        case LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_NONE:
            return stream.sawEnd ? .closed(layer) : .reset(layer)
        default:
            if stream.sawEnd { return .closed(layer) }
            return .protocolFailure(layer, lastMessage(status))
        }
    }

    func lastMessage(_ status: CInt) -> String {
        var text: UnsafeMutablePointer<CChar>?
        var count: CInt = 0
        guard libssh2_session_last_error(handle, &text, &count, 0) != 0, let text, count > 0 else {
            return "libssh2 status \(status)"
        }
        return GuestText.line(UnsafeBufferPointer(start: text, count: Int(count)).map { UInt8(bitPattern: $0) })
    }
}

extension SSHSession {
    /// Whether so much waits to be sent that no more should be added.
    var isCongested: Bool { stream.queuedCount > 256 << 10 }

    /// Waits for a while, keeps the connection alive, and observes the cancellation.
    public func pause(milliseconds: Int64) throws(SSHError) {
        let end = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
        // What arrives meanwhile is read with the next call; of the connection, only its end counts here.
        try wait(.channel, for: [], pause: milliseconds)
        if MonotonicClock.now < end { throw .closed(.channel) }
    }
}
