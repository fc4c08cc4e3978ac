import CLibSSH2
import Glibc
public import LinuxSystem
import SystemPackage

/// A connection to an SSH server. It is not thread-safe, since libssh2's object is not: it stays on one thread.
///
/// Every call waits with poll(2), ends at the session's deadline where one is set, and observes its cancellation.
public final class SSHSession {
    public struct Options: Sendable {
        /// Refuses any other key of the server. nil accepts whatever it shows, for the first contact.
        public var hostKey: SSHPublicKey?
        /// How long the server may take for its greeting, in milliseconds.
        public var bannerMilliseconds: Int64 = 10_000
        /// How long each later step up to the login may take, in milliseconds.
        public var stepMilliseconds: Int64 = 30_000
        /// How long the guest's shell may be silent after a short command, and how long a transfer may move nothing, in
        /// milliseconds. The server may be well while the guest's shell, its sudo or its disk hangs.
        public var answerMilliseconds: Int64 = 180_000
        /// The time between two keep-alive messages, in seconds.
        public var keepAliveSeconds: UInt32 = 15
        /// How many unanswered ones mean that the peer is gone.
        public var keepAliveLimit: Int64 = 8
        public var cancellation: Cancellation?
        /// A descriptor that becomes readable when the machine has ended, such as a pidfd.
        public var endedDescriptor: CInt?
        /// The machine's process: sets ``endedDescriptor`` and keeps it open for as long as the session lasts.
        public var process: ProcessWatch? { didSet { endedDescriptor = process?.rawDescriptor } }
        public init() {}
    }

    let handle: OpaquePointer
    let stream: SSHStream
    private(set) var options: Options
    /// The server's identification, such as `SSH-2.0-OpenSSH_9.2p1`.
    public private(set) var serverBanner = ""
    /// The user who logged in; nil before the login.
    public internal(set) var user: String?
    /// The key that the server proved to have.
    public private(set) var hostKey: SSHPublicKey
    /// The channel of a command that is ending and need not be waited for until the next one starts. ``close()``
    /// releases it.
    var leftChannel: SSHChannel?
    /// Limits a whole job that takes several calls.
    public var deadline: MonotonicClock?

    private static let isInitialized = libssh2_init(0) == 0

    /// Greets, agrees on encryption, and checks the server's key. Log in next.
    public init(over descriptor: consuming OwnedDescriptor, _ options: Options = Options()) throws(SSHError) {
        guard Self.isInitialized, let handle = libssh2_session_init_ex(nil, nil, nil, nil) else {
            throw .system(SystemError("start libssh2", nil, .noMemory))
        }
        self.handle = handle
        self.options = options
        stream = SSHStream(descriptor)
        hostKey = .none
        // All properties are set: a later throw runs `deinit`.
        libssh2_session_set_blocking(handle, 0)
        stream.attach(to: handle)
        preferMethods()
        serverBanner = try readBanner()
        try performStep(.keyExchange) { libssh2_session_handshake(handle, stream.rawDescriptor) }
        var count = 0
        var type: CInt = 0
        guard let bytes = libssh2_session_hostkey(handle, &count, &type),
            let key = SSHPublicKey(blob: UnsafeBufferPointer(start: bytes, count: count).map { UInt8(bitPattern: $0) })
        else { throw .protocolFailure(.keyExchange, "the server showed no key") }
        hostKey = key
        if let expected = options.hostKey, expected != key {
            throw .hostKeyChanged(expected: expected.fingerprint, actual: key.fingerprint)
        }
        libssh2_keepalive_config(handle, 1, options.keepAliveSeconds)
    }

    /// Connects, greets and checks the server's key.
    public convenience init(to transport: SSHTransport, _ options: Options = Options()) throws(SSHError) {
        let descriptor = try transport.connect(
            milliseconds: options.bannerMilliseconds, cancellation: options.cancellation)
        try self.init(over: descriptor, options)
    }

    deinit {
        if !stream.isShutDown { _ = libssh2_session_disconnect_ex(handle, SSH_DISCONNECT_BY_APPLICATION, "done", "") }
        stream.shutDown()
        // Frees the channels too; without a connection none of that waits, but each of them may take a turn.
        var turns = 0
        while libssh2_session_free(handle) == LIBSSH2_ERROR_EAGAIN, turns < 1000 { turns += 1 }
    }

    /// Runs work that may finish after a first request to stop. See ``Cancellation/letEnd(_:_:)``.
    public func lettingEnd<Result, Failure: Error>(
        _ name: String, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let cancellation = options.cancellation, let insistence = cancellation.insistence else {
            return try body()
        }
        options.cancellation = insistence
        defer { options.cancellation = cancellation }
        return try cancellation.letEnd(name, body)
    }

    /// Replaces the cancellation that the session observes.
    public func observe(_ cancellation: Cancellation?) { options.cancellation = cancellation }

    /// Whether the user has asked to stop.
    public var isInterrupted: Bool { options.cancellation?.isRequested == true }

    /// Ends the connection at once. Further calls fail.
    public func close() {
        leftChannel = nil
        _ = libssh2_session_disconnect_ex(handle, SSH_DISCONNECT_BY_APPLICATION, "done", "")
        stream.shutDown()
    }

    private func preferMethods() {
        var hostKeys = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"]
        // A server with several keys must be asked for the one that is known.
        if let pinned = options.hostKey?.algorithm, let index = hostKeys.firstIndex(of: pinned) {
            hostKeys.insert(hostKeys.remove(at: index), at: 0)
        }
        // Names that this libssh2 does not know are dropped by it.
        let exchange =
            "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
            + "diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group14-sha256,"
            + "diffie-hellman-group14-sha1"
        libssh2_session_method_pref(handle, LIBSSH2_METHOD_HOSTKEY, hostKeys.joined(separator: ","))
        libssh2_session_method_pref(handle, LIBSSH2_METHOD_KEX, exchange)
        for direction in [LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC] {
            libssh2_session_method_pref(handle, direction, "aes128-ctr,aes192-ctr,aes256-ctr")
        }
        for direction in [LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC] {
            libssh2_session_method_pref(handle, direction, "hmac-sha2-256,hmac-sha2-512,hmac-sha1")
        }
    }
}

extension SSHPublicKey {
    /// Before the server has shown a key.
    fileprivate static let none = SSHPublicKey()
    private init() {
        blob = []
        algorithm = ""
        comment = ""
    }
}
