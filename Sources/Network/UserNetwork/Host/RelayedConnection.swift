import Glibc
import LinuxSystem

/// A TCP connection with a guest whose other end is a socket of the host. Bytes go both ways. When one side closes or
/// breaks off, so does the other.
class RelayedConnection: GuestConnection {
    /// How long a connection that one side has closed may be silent, in milliseconds. Whoever has closed its side may
    /// listen, or be gone for ever: TCP does not tell.
    static let silenceLimit: Int64 = 15 * 60_000
    /// How long it must have been silent, in milliseconds, before it makes room for a new one.
    static let leastSilence: Int64 = 10_000

    unowned let network: Network
    let machine: Station
    private(set) var descriptor: HeldDescriptor?
    /// The guest's end, once there is one.
    var session: TCPSession?
    /// Whether the socket brings nothing more.
    private(set) var inputEnded = false
    /// Whether the socket takes nothing more.
    private(set) var outputEnded = false
    private(set) var lastTraffic: MonotonicClock

    init(_ descriptor: consuming OwnedDescriptor?, machine: Station, network: Network) {
        self.machine = machine
        self.network = network
        lastTraffic = network.now
        super.init()
        if let descriptor { self.descriptor = HeldDescriptor(descriptor, countedBy: machine.descriptors) }
    }

    // MARK: What kinds of connections differ in

    /// Whether both ends are open, so that bytes may pass.
    var isEstablished: Bool { false }
    /// Whether segments can be sent to the guest.
    var reachesGuest: Bool { true }
    /// Called before anything is sent to the guest.
    func prepare() {}
    func transmit(_ header: TCPHeader, payload: UnsafeRawBufferPointer) {
        unsafe network.send(header, payload: payload, to: machine)
    }
    /// The guest's end has failed.
    func sessionFailed(_ failure: TCPSession.Failure) {}
    /// Whether the socket may say its last before the connection is open, and still listen.
    var mayEndEarly: Bool { true }
    /// The socket has hung up, not only said its last.
    func socketHungUp() {}

    // MARK: Ends

    /// Makes closing the socket tell its other end that the connection broke, rather than that it ended.
    func resetSocket() {
        guard let descriptor else { return }
        var linger = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(
            descriptor.rawValue, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }

    /// The socket is of no use any more: tells the guest.
    func socketBroke() {
        inputEnded = true
        outputEnded = true
        session?.abort()
        network.schedule(self)
    }

    override func finish() {
        super.finish()
        // Now rather than when the last reference goes: the other end is waiting for it.
        descriptor = nil
    }

    /// Since when it only waits for somebody who may be gone; nil if it does not.
    var orphanedSince: MonotonicClock? {
        guard isEstablished, inputEnded || session?.remoteClosed ?? false else { return nil }
        return lastTraffic
    }

    // MARK: The guest's side

    func receive(_ header: TCPHeader, payload: RawSpan) {
        guard let session else { return }
        let new = session.receive(header, payload: payload.byteCount, at: network.now)
        if !new.isEmpty {
            lastTraffic = network.now
            deliver(payload.extracting(new), session)
        }
        network.schedule(self)
    }

    private func deliver(_ payload: RawSpan, _ session: TCPSession) {
        guard let descriptor, !outputEnded else { return }
        var taken = 0
        // Nothing may come before the news that the connection is open.
        if isEstablished, session.receiveQueue.isEmpty {
            taken = unsafe payload.withUnsafeBytes { unsafe write(descriptor.rawValue, $0.baseAddress, $0.count) }
            if taken < 0 {
                guard errno == EAGAIN || errno == EINTR else { return socketBroke() }
                taken = 0
            }
        }
        if taken < payload.byteCount { session.receiveQueue.append(payload.extracting(taken..<payload.byteCount)) }
    }

    override func pump() -> Bool {
        guard let session, !isFinished else { return false }
        session.bufferLimit = machine.bufferLimit
        prepare()
        while reachesGuest, !isFinished, let link = machine.link {
            if link.holdsBack(.network, at: network.now) { return true }
            guard let segment = session.nextSegment(at: network.now) else { break }
            let all = unsafe session.sendQueue.bytes
            unsafe transmit(segment.header, payload: UnsafeRawBufferPointer(rebasing: all[segment.payload]))
        }
        session.settle()
        if session.remoteClosed, session.receiveQueue.isEmpty, !outputEnded, let descriptor {
            outputEnded = true
            _ = shutdown(descriptor.rawValue, CInt(SHUT_WR))
        }
        switch session.state {
        case .connecting, .accepting, .open: break
        case .finished: if session.receiveQueue.isEmpty { finish() }
        case .failed(let failure): sessionFailed(failure)
        }
        return false
    }

    // MARK: The socket's side

    override var rawDescriptor: CInt { descriptor?.rawValue ?? -1 }

    override var interest: Int16 {
        guard let session else { return 0 }
        var events: Int16 = 0
        if !inputEnded, session.sendRoom > 0 { events |= Int16(POLLIN) }
        if isEstablished, !session.receiveQueue.isEmpty { events |= Int16(POLLOUT) }
        // Who has nothing more to say may still break off.
        if inputEnded, !outputEnded, watchesErrors { events |= Int16(POLLPRI) }
        return events
    }

    /// Whether a hang-up means that the connection broke. A Unix socket hangs up when its other end is closed.
    var watchesErrors: Bool { true }

    override func ready(_ events: Int16) {
        guard let descriptor, let session else { return }
        if events & Int16(POLLOUT) != 0, isEstablished {
            let bytes = unsafe session.receiveQueue.bytes
            let written = unsafe bytes.isEmpty ? 0 : write(descriptor.rawValue, bytes.baseAddress, bytes.count)
            if written > 0 {
                lastTraffic = network.now
                session.receiveQueue.removeFirst(written)
                session.noteTaken()
            } else if written < 0, errno != EAGAIN, errno != EINTR {
                return socketBroke()
            }
        }
        if events & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
            if !inputEnded {
                readSocket(descriptor.rawValue, session)
                if inputEnded, events & Int16(POLLHUP) != 0 { socketHungUp() }
            } else if !outputEnded, watchesErrors {
                return socketBroke()
            }
        }
        network.schedule(self)
    }

    private func readSocket(_ raw: CInt, _ session: TCPSession) {
        // Reading no bytes would look like the end.
        guard session.sendRoom > 0 else { return }
        var result = 0
        var reason: CInt = 0
        _ = unsafe session.sendQueue.append(upTo: min(session.sendRoom, session.readSize)) { room in
            result = unsafe read(raw, room.baseAddress, room.count)
            reason = errno
            return result
        }
        if result > 0 { lastTraffic = network.now }
        if result > 0 || result < 0 && (reason == EAGAIN || reason == EINTR) { return }
        inputEnded = true
        if result == 0, isEstablished || mayEndEarly {
            session.close()
        } else if isEstablished {
            socketBroke()
        } else {
            finish()
        }
    }

    // MARK: Time

    override var deadline: MonotonicClock? {
        let end = orphanedSince?.advanced(byMilliseconds: Self.silenceLimit)
        guard let other = session?.deadline else { return end }
        return end.map { min($0, other) } ?? other
    }

    override func deadlinePassed(_ now: MonotonicClock) {
        if let since = orphanedSince, now.milliseconds(since: since) >= Self.silenceLimit { return breakOff() }
        session?.timerExpired(at: now)
        network.schedule(self)
    }

    /// Ends it in both directions, to make room or because nobody seems to be there.
    func breakOff() {
        resetSocket()
        socketBroke()
    }
}
