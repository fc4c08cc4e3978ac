import Glibc
public import LinuxSystem
import SystemPackage

/// Waits until a machine that is booting lets its user log in.
///
/// The first connection to be greeted wins. A slow server does not get more connections for being slow: see
/// ``ConnectionAttempts``. A refusal is known at once, and the next try follows quickly.
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
    /// How many connections may wait for a greeting.
    public var atOnce = 2
    /// The pause between two tries while connections are accepted and stay silent.
    public var pace = Pace(first: .seconds(1), growing: 2, most: .seconds(30))
    /// How long refused logins do not count as an error, in milliseconds: while a guest boots, `nologin` refuses users.
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

    /// How long to wait, and how long if the guest makes progress.
    public struct Limit {
        /// In milliseconds.
        public var milliseconds: Int64
        /// The limit while the guest shows signs of life, in milliseconds in all.
        public var longestMilliseconds: Int64
        /// Whether the guest has shown signs of life lately; called when the time is over. An open port alone is a
        /// sign.
        public var isAlive: () -> Bool

        public init(milliseconds: Int64, longestMilliseconds: Int64? = nil, isAlive: @escaping () -> Bool = { false }) {
            self.milliseconds = milliseconds
            self.longestMilliseconds = max(milliseconds, longestMilliseconds ?? milliseconds)
            self.isAlive = isAlive
        }
    }

    /// - Parameters:
    ///   - milliseconds: How long to wait in all.
    public func run(
        milliseconds: Int64, report: (Stage) -> Void = { _ in }, connect: () throws(SSHError) -> OwnedDescriptor
    ) throws(SSHError) -> Login { try run(Limit(milliseconds: milliseconds), report: report, connect: connect) }

    /// - Parameters:
    ///   - report: Gets each stage once, when the wait reaches it or falls back to it.
    ///   - turn: Called at least once a second while the server has not greeted and `connect` does not wait for longer.
    ///     What it throws ends the wait.
    ///   - connect: Makes one connection; it should not wait for long.
    /// - Throws: ``SSHError/notReady(reached:last:milliseconds:)``, ``SSHError/machineEnded``,
    ///   ``SSHError/interrupted``, ``SSHError/hostKeyChanged(expected:actual:)``, or, after `refusalPatience`,
    ///   ``SSHError/authenticationRefused(user:tried:offered:)``.
    public func run(
        _ limit: Limit, report: (Stage) -> Void = { _ in }, turn: () throws(SSHError) -> Void = {},
        connect: () throws(SSHError) -> OwnedDescriptor
    ) throws(SSHError) -> Login {
        let start = MonotonicClock.now
        let last = start.advanced(byMilliseconds: limit.longestMilliseconds)
        var deadline = start.advanced(byMilliseconds: limit.milliseconds)
        var progress = ReadyProgress()
        func enter(_ stage: Stage) { if progress.enter(stage) { report(stage) } }
        var firstRefusal: MonotonicClock?
        var options = options
        var attempts = ConnectionAttempts(options, atOnce: atOnce, pace: pace)
        while true {
            do throws(SSHError) {
                let descriptor = try attempts.next(
                    { hasOpenPort in
                        if MonotonicClock.now >= deadline, deadline < last, hasOpenPort || limit.isAlive() {
                            // Asked again soon: a guest that has died since is not waited for much longer.
                            deadline = min(last, deadline.advanced(byMilliseconds: max(1000, limit.milliseconds / 4)))
                        }
                        return deadline
                    }, turn: turn, connect: connect,
                    failed: { error in
                        progress.note(error)
                        enter(error.layer == .connection ? .waitingForPort : .waitingForBanner)
                    }, accepted: { enter(.waitingForBanner) })
                guard let descriptor else {
                    let waited = deadline.milliseconds(since: start)
                    throw SSHError.notReady(reached: progress.best, last: progress.last, milliseconds: waited)
                }
                let session = try SSHSession(over: descriptor, options)
                attempts.greeted()
                session.deadline = last
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
                    enter(.loginRefused)
                    if MonotonicClock.now > first.advanced(byMilliseconds: refusalPatience) { throw error }
                case .timedOut:
                    // What it could not do in this time, it may do in the double: the next try must not end as early.
                    options.bannerMilliseconds = min(limit.longestMilliseconds, options.bannerMilliseconds * 2)
                    options.stepMilliseconds = min(limit.longestMilliseconds, options.stepMilliseconds * 2)
                default: break
                }
                progress.note(error)
                attempts.pause(isOverloaded: error.tellsOfOverload)
            }
        }
    }

    private func logIn(_ session: SSHSession) throws(SSHError) -> SSHKeyPair? {
        do {
            return try session.authenticate(user: user, keys: keys)
        } catch {
            guard case .authenticationRefused(_, let tried, let offered) = error, let password,
                offered.contains("password")
            else { throw error }
            do { try session.authenticate(user: user, password: password) } catch {
                guard case .authenticationRefused(_, let others, let offered) = error else { throw error }
                throw .authenticationRefused(user: user, tried: tried + others, offered: offered)
            }
            return nil
        }
    }
}

/// How far a wait has come.
private struct ReadyProgress {
    private var stage: ReadyWait.Stage?
    private(set) var best = SSHLayer.connection
    private(set) var last: SSHError?

    /// - Returns: Whether this is news.
    mutating func enter(_ next: ReadyWait.Stage) -> Bool {
        best = max(best, next.layer)
        defer { stage = next }
        return stage != next
    }

    /// A connection was not made, or came to nothing.
    mutating func note(_ error: SSHError) {
        if let layer = error.layer { best = max(best, layer) }
        last = error
    }
}

extension SSHError {
    /// Whether a server says that it has too many connections (`MaxStartups` of sshd_config(5)), or too many from one
    /// place (`PerSourcePenalties`, since OpenSSH 9.8).
    var tellsOfOverload: Bool {
        guard case .notSSH(let text) = self else { return false }
        return text.contains("MaxStartups") || text.contains("Not allowed at this time")
    }
}
