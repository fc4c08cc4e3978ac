public import LinuxSystem
import Synchronization

/// A connection on a thread of its own that proves a new key with a login.
///
/// It opens as early as the server can be reached, and waits there until the server has the key.
public final class SecondConnection: Sendable {
    /// How long the proof may take once the key is in its place, in milliseconds.
    private static let proofLimit: Int64 = 300_000
    /// How long a step of the connection that was opened early may take: a new one may do better.
    private static let earlyLimit: Int64 = 60_000

    private let cancellation: Cancellation
    private let callerCancellation: Cancellation?
    private let mayProceed: EventDescriptor
    private let hasEnded: EventDescriptor
    private let state = Mutex(State())

    private struct State {
        var expected: SSHPublicKey?
        var result: Result<Void, SSHError>?
    }

    /// Starts to connect.
    /// - Parameters:
    ///   - key: The key to prove.
    ///   - options: Its cancellation applies to the caller of ``finish()``.
    ///   - connect: Makes a connection. It is called on another thread, and again if the first connection fails.
    public init(
        user: String, key: SSHKeyPair, _ options: SSHSession.Options = SSHSession.Options(),
        connect: @escaping @Sendable () throws(SSHError) -> OwnedDescriptor
    ) throws(SSHError) {
        callerCancellation = options.cancellation
        do {
            cancellation = try Cancellation()
            mayProceed = try EventDescriptor()
            hasEnded = try EventDescriptor()
        } catch { throw .system(error) }
        var options = options
        options.cancellation = cancellation
        let (fixed, own) = (options, self)
        do {
            _ = try Thread(name: "second login", stackSize: 1 << 20) { own.work(user: user, key, fixed, connect) }
        } catch { throw .system(error) }
    }

    /// Continues with the login: the server has the key.
    /// - Parameter hostKey: The host key of that server.
    public func proceed(expecting hostKey: SSHPublicKey) {
        state.withLock { $0.expected = hostKey }
        mayProceed.signal()
    }

    /// Waits until the key has been proved.
    /// - Throws: ``SSHError/timedOut(_:milliseconds:)`` after ``proofLimit``.
    public func finish() throws(SSHError) {
        let hasEnded: Bool
        do {
            hasEnded = try waitUntilReady(
                self.hasEnded.descriptor.rawValue, for: .readable, milliseconds: Int32(clamping: Self.proofLimit),
                cancellation: callerCancellation)
        } catch { throw .system(error) }
        if !hasEnded, callerCancellation?.isRequested != true {
            cancellation.request()
            throw .timedOut(.authentication, milliseconds: Self.proofLimit)
        }
        guard let result = state.withLock({ $0.result }) else { throw .interrupted }
        try result.get()
    }

    /// Gives the connection up. Its thread ends by itself.
    public func abandon() {
        cancellation.request()
    }

    private func work(
        user: String, _ key: SSHKeyPair, _ options: SSHSession.Options,
        _ connect: () throws(SSHError) -> OwnedDescriptor
    ) {
        let result: Result<Void, SSHError>
        do throws(SSHError) {
            try prove(user: user, key, options, connect)
            result = .success(())
        } catch { result = .failure(error) }
        state.withLock { $0.result = result }
        hasEnded.signal()
    }

    private func prove(
        user: String, _ key: SSHKeyPair, _ options: SSHSession.Options,
        _ connect: () throws(SSHError) -> OwnedDescriptor
    ) throws(SSHError) {
        var patient = options
        patient.bannerMilliseconds = Self.earlyLimit
        patient.stepMilliseconds = Self.earlyLimit
        let early = try? SSHSession(over: connect(), patient)
        do {
            _ = try waitUntilReady(
                mayProceed.descriptor.rawValue, for: .readable, milliseconds: -1, cancellation: cancellation)
        } catch { throw .system(error) }
        if cancellation.isRequested { throw .interrupted }
        var pinned = options
        pinned.bannerMilliseconds = Self.proofLimit
        pinned.stepMilliseconds = Self.proofLimit
        pinned.hostKey = state.withLock { $0.expected } ?? options.hostKey
        // One that was made early may have come to nothing, or have been given up by the server.
        if let early, early.hostKey == pinned.hostKey, let done = try? finish(early, user: user, key) { return done }
        let late = try SSHSession(over: connect(), pinned)
        try finish(late, user: user, key)
    }

    private func finish(_ session: SSHSession, user: String, _ key: SSHKeyPair) throws(SSHError) {
        defer { session.close() }
        try session.authenticate(user: user, keys: [key])
    }
}
