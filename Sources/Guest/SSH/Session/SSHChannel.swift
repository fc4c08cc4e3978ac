import CLibSSH2
import LinuxSystem
import Reporting

/// One command's channel. Owns libssh2's object and keeps the session alive.
final class SSHChannel {
    let session: SSHSession
    private let handle: OpaquePointer

    init(_ session: SSHSession) throws(SSHError) {
        try session.settle()
        self.session = session
        let sessionHandle = session.handle
        // 2 MiB of window: what may be on its way without an answer.
        handle = try session.performStep(.channel) {
            libssh2_channel_open_ex(sessionHandle, "session", 7, 2 << 20, 32_768, nil, 0)
        }
    }

    /// A connection that the server makes for us (`direct-tcpip`, RFC 4254, section 7.2).
    /// - Throws: ``SSHError/channelRefused(_:)`` if it cannot, ``SSHError/forwardingRefused(_:)`` if it will not.
    init(_ session: SSHSession, connectingTo host: String, port: UInt16) throws(SSHError) {
        try session.settle()
        self.session = session
        let sessionHandle = session.handle
        do {
            handle = try session.performStep(.channel) {
                libssh2_channel_direct_tcpip_ex(sessionHandle, host, CInt(port), "127.0.0.1", 0)
            }
        } catch {
            guard case .protocolFailure(_, let reason) = error else { throw error }
            // libssh2 gives the reason of SSH_MSG_CHANNEL_OPEN_FAILURE as text only.
            if reason.contains("connect failed") { throw .channelRefused(reason) }
            throw .forwardingRefused(reason)
        }
    }

    deinit {
        // Says goodbye without waiting; what does not fit now is freed with the session.
        _ = libssh2_channel_free(handle)
    }

    func requestTerminal(_ terminal: PseudoTerminal) throws(SSHError) {
        let modes = terminal.isRaw ? Self.rawModes : []
        try refusing("it gives out no terminal") {
            modes.withUnsafeBytes { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    libssh2_channel_request_pty_ex(
                        handle, terminal.type, UInt32(clamping: terminal.type.utf8.count), $0.baseAddress,
                        UInt32($0.count), terminal.columns, terminal.rows, 0, 0)
                }
            }
        }
    }

    /// What cfmakeraw(3) does, as RFC 4254, section 8, encodes it: an operation and a number for each, and an end.
    private static let rawModes: [UInt8] = {
        // PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON; ISIG, ICANON, ECHO, ECHONL, IEXTEN; OPOST.
        let off: [UInt8] = [31, 33, 34, 35, 36, 38, 50, 51, 53, 56, 59, 70]
        let eightBits: [UInt8] = [91, 0, 0, 0, 1]
        return off.flatMap { [$0, 0, 0, 0, 0] } + eightBits + [0]
    }()

    /// Tells the guest that the terminal's size has changed; nothing depends on its getting there.
    func resize(columns: Int32, rows: Int32) {
        _ = libssh2_channel_request_pty_size_ex(handle, columns, rows, 0, 0)
    }

    /// - Parameter command: nil starts the user's login shell.
    func start(_ command: String?) throws(SSHError) {
        try refusing(command == nil ? "no shell" : "it runs no commands") {
            guard let command else { return libssh2_channel_process_startup(handle, "shell", 5, nil, 0) }
            return libssh2_channel_process_startup(handle, "exec", 4, command, UInt32(clamping: command.utf8.count))
        }
    }

    private func refusing(_ reason: String, _ call: () -> CInt) throws(SSHError) {
        var isClosed = false
        let status = try session.performStep(.channel) {
            let status = call()
            // libssh2 goes on waiting for an answer that cannot come any more.
            isClosed = status == LIBSSH2_ERROR_EAGAIN && libssh2_channel_eof(handle) != 0
            if isClosed { return 0 }
            return status == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED || status == LIBSSH2_ERROR_CHANNEL_FAILURE
                ? 1 : status
        }
        if isClosed { throw .closed(.channel) }
        guard status == 0 else { throw .channelRefused(reason) }
    }

    enum Stream: CInt {
        case output = 0
        case error = 1
    }

    /// - Returns: nil if nothing is there yet; 0 bytes at the end.
    func read(_ stream: Stream, into buffer: inout [UInt8]) throws(SSHError) -> Int? {
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                libssh2_channel_read_ex(handle, stream.rawValue, $0.baseAddress, $0.count)
            }
        }
        if count == Int(LIBSSH2_ERROR_EAGAIN) { return nil }
        guard count >= 0 else { throw session.failure(CInt(clamping: count), .channel) }
        return count
    }

    /// - Returns: How many bytes were taken; 0 when the guest is not reading at the moment.
    func write(_ bytes: ArraySlice<UInt8>) throws(SSHError) -> Int {
        let count = bytes.withUnsafeBytes { raw in
            raw.withMemoryRebound(to: CChar.self) { libssh2_channel_write_ex(handle, 0, $0.baseAddress, $0.count) }
        }
        if count == Int(LIBSSH2_ERROR_EAGAIN) { return 0 }
        // The command has closed its input or ended: what it did not read does not matter any more.
        if count == Int(LIBSSH2_ERROR_CHANNEL_CLOSED) || count == Int(LIBSSH2_ERROR_CHANNEL_EOF_SENT) {
            return bytes.count
        }
        guard count >= 0 else { throw session.failure(CInt(clamping: count), .channel) }
        return count
    }

    /// - Returns: Whether the end of the input is on its way.
    func sendEnd() throws(SSHError) -> Bool {
        let status = libssh2_channel_send_eof(handle)
        if status == LIBSSH2_ERROR_EAGAIN { return false }
        if status == LIBSSH2_ERROR_CHANNEL_CLOSED { return true }
        guard status >= 0 else { throw session.failure(status, .channel) }
        return true
    }

    var isAtEnd: Bool { libssh2_channel_eof(handle) != 0 }

    /// Whether the guest has closed the channel, as it does some time after the end of the output.
    var isClosed: Bool { isAtEnd && libssh2_channel_wait_closed(handle) == 0 }

    /// What the guest has said about the command's end; 0 also as long as it has said nothing.
    var exitStatus: Int32 { libssh2_channel_get_exit_status(handle) }

    /// Waits for the guest's last word on the command, after its output has ended.
    func finish(until limit: MonotonicClock?) throws(SSHError) -> SSHOutcome {
        try session.perform(.channel, until: limit) {
            let status = libssh2_channel_close(handle)
            return status == LIBSSH2_ERROR_CHANNEL_CLOSED ? 0 : status
        }
        try session.perform(.channel, until: limit) { libssh2_channel_wait_closed(handle) }
        var name: UnsafeMutablePointer<CChar>?
        var count = 0
        _ = libssh2_channel_get_exit_signal(handle, &name, &count, nil, nil, nil, nil)
        if let name {
            defer { libssh2_free(session.handle, name) }
            let text = UnsafeBufferPointer(start: name, count: min(count, 32)).map { UInt8(bitPattern: $0) }
            return .signalled(GuestText.line(text))
        }
        return .exited(libssh2_channel_get_exit_status(handle))
    }
}
