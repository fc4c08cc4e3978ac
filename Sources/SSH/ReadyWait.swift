import Glibc
public import LinuxSystem
import SystemPackage

/// Waits until a machine that is booting lets its user log in.
///
/// Several connections may be under way at once: a forwarded port may accept while the guest is not listening yet, and
/// such a connection often never comes to anything, so a new one is tried every 0.4 s and each is dropped after 1.6 s of
/// silence. The first to be greeted wins. A refusal is known at once, and the next try follows quickly.
public struct ReadyWait {
    public enum Stage: Hashable, Sendable {
        /// Nothing accepts connections.
        case waitingForPort
        /// Connections are accepted, nobody speaks.
        case waitingForBanner
        /// The server's greeting.
        case greeted(String)
        /// A login was refused, which a booting guest may do for a while.
        case loginRefused
        case ready

        var layer: SSHLayer {
            switch self {
            case .waitingForPort: .connection
            case .waitingForBanner: .banner
            case .greeted: .keyExchange
            case .loginRefused: .authentication
            case .ready: .channel
            }
        }
    }

    public var user: String
    /// Best first.
    public var keys: [SSHKeyPair]
    /// For a box without a key; tried after the keys.
    public var password: String?
    public var options: SSHSession.Options
    /// Between two tries while connections are accepted, in milliseconds.
    public var tryInterval: Int64 = 400
    /// How long an accepted connection may stay silent, in milliseconds.
    public var silenceLimit: Int64 = 1600
    /// How long logins may be refused before that counts, in milliseconds: while a guest boots, `nologin` refuses users.
    public var refusalPatience: Int64 = 15_000

    public init(user: String, keys: [SSHKeyPair], _ options: SSHSession.Options = SSHSession.Options()) {
        self.user = user
        self.keys = keys
        self.options = options
    }

    public struct Login {
        public let session: SSHSession
        /// The key that was accepted; nil after a login by password.
        public let key: SSHKeyPair?
    }

    /// - Parameters:
    ///   - milliseconds: How long to wait in all.
    ///   - report: Gets each stage once, when it is reached or fallen back to.
    ///   - connect: Makes one connection; it should not wait for long.
    /// - Throws: ``SSHError/notReady(reached:last:milliseconds:)``, ``SSHError/machineEnded``,
    ///   ``SSHError/interrupted``, ``SSHError/hostKeyChanged(expected:actual:)``, or, after `refusalPatience`,
    ///   ``SSHError/authenticationRefused(user:tried:offered:)``.
    public func run(
        milliseconds: Int64, report: (Stage) -> Void = { _ in }, connect: () throws(SSHError) -> OwnedDescriptor
    ) throws(SSHError) -> Login {
        let deadline = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
        var stage: Stage?
        var best = SSHLayer.connection
        var last: SSHError?
        var firstRefusal: MonotonicClock?
        func enter(_ next: Stage) {
            guard stage != next else { return }
            stage = next
            best = max(best, next.layer)
            report(next)
        }
        var attempts = ConnectionAttempts(options, interval: tryInterval, silence: silenceLimit)
        while true {
            do throws(SSHError) {
                let descriptor = try attempts.next(
                    deadline, connect: connect,
                    failed: { error in
                        last = error
                        enter(error.layer == .connection ? .waitingForPort : .waitingForBanner)
                    }, accepted: { enter(.waitingForBanner) })
                guard let descriptor else {
                    throw SSHError.notReady(reached: best, last: last, milliseconds: milliseconds)
                }
                let session = try SSHSession(over: descriptor, options)
                session.deadline = deadline
                enter(.greeted(session.serverBanner))
                let key = try logIn(session)
                session.deadline = nil
                enter(.ready)
                return Login(session: session, key: key)
            } catch {
                switch error {
                case .notReady, .interrupted, .machineEnded, .hostKeyChanged, .invalidKey, .notAnAddress, .system:
                    throw error
                case .authenticationRefused:
                    let first = firstRefusal ?? .now
                    firstRefusal = first
                    best = max(best, .authentication)
                    last = error
                    enter(.loginRefused)
                    if MonotonicClock.now > first.advanced(byMilliseconds: refusalPatience) { throw error }
                default:
                    if let layer = error.layer { best = max(best, layer) }
                    last = error
                }
                try attempts.pause()
            }
        }
    }

    private func logIn(_ session: SSHSession) throws(SSHError) -> SSHKeyPair? {
        do {
            return try session.authenticate(user: user, keys: keys)
        } catch {
            guard case .authenticationRefused = error, let password else { throw error }
            try session.authenticate(user: user, password: password)
            return nil
        }
    }
}
