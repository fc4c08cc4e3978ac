import Glibc
import LinuxSystem
import NetworkControl
import SystemPackage

/// A guest's TCP connection to the outside or to the host. The guest's SYN is answered when the socket has connected or
/// failed, so that the guest learns the result: open, refused, or unreachable.
final class OutsideConnection: RelayedConnection {
    /// How long the other side may take to answer, in milliseconds. Guests give up after about two minutes.
    static let connectLimit: Int64 = 130_000
    /// How long the guest may take to confirm, in milliseconds.
    static let confirmLimit: Int64 = 10_000
    /// How long a connection may be pending, in milliseconds, before it makes room for a new one.
    static let leastPending: Int64 = 3_000

    let flow: OutsideFlow
    private let knock: TCPHeader
    /// The beginning of the packet with the knock, for messages about it.
    private let quoted: [UInt8]
    private let begun: MonotonicClock
    private var pendingEnd: MonotonicClock
    /// Whether it counts among those that are not open yet.
    private var isPending = true

    init(
        _ flow: OutsideFlow, knock: TCPHeader, quoting quoted: [UInt8], socket: consuming OwnedDescriptor,
        machine: Station, network: Network
    ) {
        self.flow = flow
        self.knock = knock
        self.quoted = quoted
        begun = network.now
        pendingEnd = network.now.advanced(byMilliseconds: Self.connectLimit)
        super.init(socket, machine: machine, network: network)
        machine.pendingOutside += 1
        let raw = rawDescriptor
        var one: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        // The guest has put its data into segments itself. An urgent byte is a byte of the stream (RFC 6093).
        _ = unsafe setsockopt(raw, CInt(IPPROTO_TCP), TCP_NODELAY, &one, size)
        _ = unsafe setsockopt(raw, SOL_SOCKET, SO_OOBINLINE, &one, size)
        _ = unsafe setsockopt(raw, SOL_SOCKET, SO_KEEPALIVE, &one, size)
    }

    /// Begins to connect.
    func start(_ address: SocketAddress) {
        if unsafe address.withKernelAddress({ unsafe connect(rawDescriptor, $0, $1) }) == 0 { return connected() }
        if errno != EINPROGRESS { refuse(errno) }
    }

    private func connected() {
        pendingEnd = network.now.advanced(byMilliseconds: Self.confirmLimit)
        session = TCPSession(
            accepting: knock, initialSequence: network.randomSequence(), mtu: network.mtu, now: network.now)
        network.schedule(self)
    }

    /// Tells the guest why there is no connection.
    private func refuse(_ reason: CInt) {
        let code: UInt8? =
            switch reason {
            case ENETUNREACH: 0
            case EHOSTUNREACH: 1
            case EACCES, EPERM: 13
            default: nil
            }
        if let code, case .v4 = flow.remote {
            network.sendUnreachable(code: code, quoting: quoted, to: machine)
        } else {
            network.sendReset(answering: knock, payload: 0, flow, to: machine)
        }
        finish()
    }

    private func noLongerPending() {
        if isPending { machine.pendingOutside -= 1 }
        isPending = false
    }

    override func finish() {
        guard !isFinished else { return }
        noLongerPending()
        super.finish()
        if machine.outside[flow] === self { machine.outside[flow] = nil }
    }

    /// The machine's monitor has gone.
    func linkLost() {
        resetSocket()
        finish()
    }

    // MARK: The guest's side

    override var isEstablished: Bool { session?.state == .open }
    override func prepare() { if isEstablished { noLongerPending() } }

    override func receive(_ header: TCPHeader, payload: RawSpan) {
        if session == nil {
            // It has changed its mind. Everything else is the knock again.
            if header.flags.contains(.rst), header.sequence == knock.sequence &+ 1 { finish() }
            return
        }
        super.receive(header, payload: payload)
    }

    override func transmit(_ header: TCPHeader, payload: UnsafeRawBufferPointer) {
        unsafe network.send(header, payload: payload, flow, to: machine)
    }

    override func sessionFailed(_ failure: TCPSession.Failure) {
        resetSocket()
        finish()
    }

    override var orphanedSince: MonotonicClock? {
        guard isPending else { return super.orphanedSince }
        // Counted as if it had been silent for as long as makes it one.
        let over = network.now.milliseconds(since: begun) - Self.leastPending
        return over < 0 ? nil : network.now.advanced(byMilliseconds: -Self.leastSilence - over)
    }

    // MARK: The socket's side

    override var interest: Int16 {
        if session == nil { return Int16(POLLOUT) }
        return isEstablished ? super.interest : 0
    }

    override func ready(_ events: Int16) {
        guard session == nil else { return super.ready(events) }
        var reason: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        guard unsafe getsockopt(rawDescriptor, SOL_SOCKET, SO_ERROR, &reason, &size) == 0, reason == 0 else {
            return refuse(reason)
        }
        connected()
    }

    // MARK: Time

    override var deadline: MonotonicClock? {
        guard isPending else { return super.deadline }
        return session?.deadline.map { min($0, pendingEnd) } ?? pendingEnd
    }

    override func deadlinePassed(_ now: MonotonicClock) {
        guard isPending else { return super.deadlinePassed(now) }
        if pendingEnd <= now { return session == nil ? refuse(ETIMEDOUT) : breakOff() }
        session?.timerExpired(at: now)
        network.schedule(self)
    }
}
