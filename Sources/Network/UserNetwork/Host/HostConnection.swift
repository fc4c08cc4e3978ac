import Glibc
import LinuxSystem
import NetworkControl

/// A connection from the host to a guest's TCP port: from a client of the machine's access socket, from a forwarded
/// port, or from somebody who only wants to know whether the port is open.
final class HostConnection: RelayedConnection {
    enum Purpose {
        /// A client of the access socket, which says what it wants and is told how it went.
        case access
        case forward(TCPForward)
        case probe((Bool) -> Void)
    }
    private enum Phase { case request, dialling, open }

    /// How long a guest may take to answer the first segment while nothing comes from it, in milliseconds.
    static let dialLimit: Int64 = 5_000
    /// How long clients of a forwarded port wait for a guest that is there and has no room for them: its program has as
    /// many clients waiting as it wants. In milliseconds, in all.
    static let busyLimit: Int64 = 60_000
    /// The pauses between two knocks while waiting for a port to open. Each knock costs a guest that boots, so they
    /// grow: a port is noticed within a tenth of the time that its machine has taken since its last sign of life, and
    /// within a second.
    static let waitPace = Pace(first: .milliseconds(50), growing: 1.1, most: .seconds(1))
    static let dialPace = Pace(first: .milliseconds(200), growing: 1.5, most: .seconds(3))
    /// How long a guest may keep a connection open whose client has gone, in milliseconds.
    static let orphanLimit: Int64 = 10_000

    let purpose: Purpose
    private var phase: Phase
    private var request: [UInt8] = []
    private var guestPort: UInt16 = 0
    /// Whether a closed port is tried again until ``limit``.
    private var waits = false
    private var limit: MonotonicClock
    /// What a dialled guest had sent when ``limit`` was set, and until when that may be moved.
    private var heard: UInt64 = 0
    private var lastLimit: MonotonicClock?
    private var retry: MonotonicClock?
    /// The pauses between two attempts that were refused.
    private(set) var pace = HostConnection.waitPace
    private var claimedPort: UInt16?
    /// When the connection is broken off, because its client is not there any more.
    private var orphanEnd: MonotonicClock?
    private var openedAt: MonotonicClock?

    /// A client of the access socket.
    init(access descriptor: consuming OwnedDescriptor, machine: Station, network: Network) {
        purpose = .access
        phase = .request
        limit = network.now.advanced(byMilliseconds: 10_000)
        super.init(descriptor, machine: machine, network: network)
    }

    /// A client of a forwarded port.
    init(forward: TCPForward, descriptor: consuming OwnedDescriptor, machine: Station, network: Network) {
        purpose = .forward(forward)
        phase = .dialling
        guestPort = forward.forward.guestPort
        limit = network.now.advanced(byMilliseconds: Self.dialLimit)
        heard = machine.counters.framesFrom
        lastLimit = network.now.advanced(byMilliseconds: Self.busyLimit)
        super.init(descriptor, machine: machine, network: network)
    }

    /// A question whether a port opens within `milliseconds`.
    init(
        probing port: UInt16, machine: Station, network: Network, milliseconds: Int64, answer: @escaping (Bool) -> Void
    ) {
        purpose = .probe(answer)
        phase = .dialling
        guestPort = port
        waits = true
        limit = network.now.advanced(byMilliseconds: milliseconds)
        super.init(nil, machine: machine, network: network)
    }

    // MARK: Dialling

    /// Starts the first attempt.
    func start() { if phase == .dialling { dial() } }

    private func dial() {
        retry = nil
        var port: UInt16 = 0
        if machine.link != nil {
            guard let claimed = machine.claimPort(for: self) else {
                return fail("too many connections to this machine")
            }
            claimedPort = claimed
            port = claimed
        } else {
            guard waits else { return fail("the machine's network is not connected") }
            // The machine's first sign of life starts the next attempt. What is there already only has to hold what the
            // client says.
            guard session == nil else { return }
        }
        let queued = session
        let session = TCPSession(
            localPort: port, remotePort: guestPort, initialSequence: network.randomSequence(), mtu: network.mtu,
            knocks: waits ? Self.waitPace : Self.dialPace, now: network.now)
        // What the client has said already belongs to whichever attempt succeeds.
        if let queued { unsafe session.sendQueue.append(queued.sendQueue.bytes) }
        if inputEnded { session.close() }
        self.session = session
        network.schedule(self)
    }

    private func release() {
        if let claimedPort { machine.releasePort(claimedPort) }
        claimedPort = nil
    }

    private func attemptFailed(_ failure: TCPSession.Failure) {
        release()
        note(failure == .refused ? .refused : .silent)
        if waits {
            retry = network.now.advanced(byMilliseconds: pace.nextMilliseconds())
        } else {
            fail(failure == .refused ? "the guest refused the connection" : "the guest does not answer")
        }
    }

    private func opened() {
        note(.open)
        phase = .open
        openedAt = network.now
        switch purpose {
        case .access: respond("OK\n")
        case .forward: break
        case .probe(let answer):
            // The guest's program never learns of a connection that ends before the handshake does.
            session?.abort()
            answer(true)
            network.schedule(self)
        }
    }

    private func note(_ state: GuestState) {
        if case .forward(let forward) = purpose { forward.guestState = state }
    }

    private func respond(_ line: String) {
        guard let descriptor else { return }
        // A fresh socket has room for a line.
        try? descriptor.descriptor.writeAll(line)
    }

    /// Ends it before it was open.
    private func fail(_ reason: String) {
        switch purpose {
        case .access: respond("ERROR \(reason)\n")
        case .forward: resetSocket()
        case .probe(let answer): answer(false)
        }
        finish()
    }

    override func finish() {
        guard !isFinished else { return }
        release()
        super.finish()
        if case .forward(let forward) = purpose { forward.connectionEnded() }
    }

    /// The machine's monitor has gone.
    func linkLost() {
        guard !isFinished else { return }
        if phase == .dialling, waits {
            release()
            // Also if the guest has just answered: that answer is worth nothing any more.
            session?.abort()
            retry = nil
        } else if phase == .open {
            breakOff("the machine's monitor has gone")
        } else if phase == .dialling {
            fail("the machine's network is not connected")
        }
    }

    /// The machine has shown that it is another than before: a port that was closed or silent may be open soon.
    func machineStirred(_ sign: Station.Sign) {
        guard phase == .dialling, waits, !isFinished else { return }
        if sign == .begins { pace.restart() }
        if claimedPort != nil {
            session?.knockAgain()
            network.schedule(self)
        } else if let retry {
            // Who is refused has been heard all the time.
            if sign == .begins {
                self.retry = min(retry, network.now.advanced(byMilliseconds: pace.nextMilliseconds()))
            }
        } else {
            dial()
        }
    }

    /// Ends it after it was open, not by its client's doing. A client of the access socket sees only an end, so the log
    /// says why.
    private func breakOff(_ reason: String) {
        if case .access = purpose, let openedAt {
            let seconds = network.now.milliseconds(since: openedAt) / 1000
            network.log.write(
                "\(machine.name): connection to port \(guestPort) broken off after \(seconds) s: \(reason)")
        }
        if !isAccess { resetSocket() }
        finish()
    }

    // MARK: The guest's side

    var remotePort: UInt16 { guestPort }
    /// Whether the guest has refused it, and the next attempt has not begun.
    var isRefused: Bool { retry != nil }

    override var isEstablished: Bool { phase == .open }
    override var reachesGuest: Bool { claimedPort != nil }
    override func prepare() { if phase == .dialling, session?.state == .open { opened() } }

    override func sessionFailed(_ failure: TCPSession.Failure) {
        if phase == .dialling {
            if claimedPort != nil { attemptFailed(failure) }
        } else if inputEnded, outputEnded || orphanEnd != nil {
            // Nobody is left to be told.
            finish()
        } else {
            breakOff(failure == .timedOut ? "the guest does not answer any more" : "the guest reset it")
        }
    }

    // MARK: The client's side

    override var interest: Int16 { phase == .request ? Int16(POLLIN) : super.interest }
    override var watchesErrors: Bool { !isAccess }

    override func ready(_ events: Int16) { if phase == .request { readRequest() } else { super.ready(events) } }

    override var mayEndEarly: Bool { !isAccess }

    /// A Unix socket hangs up when its other end is closed, not when that only has nothing more to say.
    override func socketHungUp() {
        if isAccess { orphanEnd = network.now.advanced(byMilliseconds: Self.orphanLimit) }
    }

    private var isAccess: Bool { if case .access = purpose { true } else { false } }

    /// Reads `CONNECT port` or `WAIT port milliseconds`.
    private func readRequest() {
        guard let descriptor else { return }
        var byte: UInt8 = 0
        while request.count < 64 {
            let result = unsafe read(descriptor.rawValue, &byte, 1)
            if result < 0, errno == EAGAIN || errno == EINTR { return }
            guard result == 1 else { return finish() }
            if byte == 0x0a { return obey(String(decoding: request, as: UTF8.self)) }
            request.append(byte)
        }
        fail("the request is too long")
    }

    private func obey(_ line: String) {
        let words = line.split(separator: " ")
        guard words.count >= 2, let port = UInt16(words[1]), port > 0 else { return fail("say CONNECT PORT") }
        guestPort = port
        switch (words[0], words.count) {
        case ("CONNECT", 2): limit = network.now.advanced(byMilliseconds: Self.dialLimit)
        case ("WAIT", 3):
            guard let time = Int64(words[2]), time >= 0 else { return fail("say WAIT PORT MILLISECONDS") }
            waits = true
            limit = network.now.advanced(byMilliseconds: time)
        default: return fail("say CONNECT PORT or WAIT PORT MILLISECONDS")
        }
        phase = .dialling
        dial()
    }

    // MARK: Time

    /// Whether the guest has sent anything since ``limit`` was set, so that it is only busy.
    private func isBusy(_ now: MonotonicClock) -> Bool {
        guard let lastLimit, now < lastLimit else { return false }
        return machine.counters.framesFrom != heard
    }

    override var deadline: MonotonicClock? {
        var first = super.deadline
        func consider(_ other: MonotonicClock?) { if let other { first = first.map { min($0, other) } ?? other } }
        consider(retry)
        consider(orphanEnd)
        if phase != .open { consider(limit) }
        return first
    }

    override func deadlinePassed(_ now: MonotonicClock) {
        if phase != .open, limit <= now {
            switch phase {
            case .request: return finish()
            case .dialling where isBusy(now):
                heard = machine.counters.framesFrom
                limit = now.advanced(byMilliseconds: Self.dialLimit)
            default:
                note(.silent)
                session?.abort()
                return fail(waits ? "the port did not open in time" : "the guest does not answer")
            }
        }
        if let retry, retry <= now { return dial() }
        if let orphanEnd, orphanEnd <= now {
            self.orphanEnd = nil
            socketBroke()
        }
        super.deadlinePassed(now)
    }
}
