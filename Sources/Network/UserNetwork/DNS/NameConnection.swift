import LinuxSystem
import NetworkAddress
import NetworkControl

/// A guest's TCP connection to the network's name server (RFC 7766): each question and each answer comes after its
/// length, and each answer goes out when it is ready. Resolvers use it for what is too long for a datagram.
final class NameConnection: GuestConnection {
    /// The most connections of one machine; further ones are ignored.
    static let limit = 16
    /// How long the guest may ask nothing, in milliseconds (RFC 7766, section 6.2.3).
    static let patience: Int64 = 10_000
    /// Questions under way on one connection; who asks more than that is cut off.
    private static let questionLimit = 32

    private unowned let network: Network
    private unowned let machine: Station
    private let session: TCPSession
    private var received: [UInt8] = []
    private var questions = 0
    private var idleEnd: MonotonicClock
    private var isClosing = false

    init(accepting knock: TCPHeader, from machine: Station, network: Network) {
        self.network = network
        self.machine = machine
        session = TCPSession(
            accepting: knock, initialSequence: network.randomSequence(), mtu: network.mtu, now: network.now)
        idleEnd = network.now.advanced(byMilliseconds: Self.patience)
    }

    func receive(_ header: TCPHeader, payload: RawSpan) {
        let new = session.receive(header, payload: payload.byteCount, at: network.now)
        if !new.isEmpty {
            received += payload.copy(from: new.lowerBound, count: new.count)
            idleEnd = network.now.advanced(byMilliseconds: Self.patience)
            takeQuestions()
        }
        if session.remoteClosed { closeWhenAnswered() }
        network.schedule(self)
    }

    private func takeQuestions() {
        while received.count >= 2 {
            let count = Int(received[0]) << 8 | Int(received[1])
            guard count <= Network.questionLimit else {
                machine.count(.malformed)
                return session.abort()
            }
            guard received.count >= 2 + count else { return }
            let message = Array(received[2..<2 + count])
            received.removeFirst(2 + count)
            questions += 1
            guard questions <= Self.questionLimit, session.sendRoom > 0,
                network.resolve(message, for: machine, by: .tcp, reply: { [weak self] in self?.reply($0) })
            else { return session.abort() }
        }
    }

    private func reply(_ answer: [UInt8]) {
        guard !isFinished else { return }
        questions -= 1
        unsafe session.sendQueue.append([UInt8(answer.count >> 8), UInt8(answer.count & 0xff)].span.bytes)
        unsafe session.sendQueue.append(answer.span.bytes)
        idleEnd = network.now.advanced(byMilliseconds: Self.patience)
        if session.remoteClosed { closeWhenAnswered() }
        network.schedule(self)
    }

    private func closeWhenAnswered() { if questions == 0 { session.close() } }

    override func pump() -> Bool {
        while let link = machine.link, !isFinished {
            if link.holdsBack(.network, at: network.now) { return true }
            guard let segment = session.nextSegment(at: network.now) else { break }
            let all = unsafe session.sendQueue.bytes
            let payload = unsafe UnsafeRawBufferPointer(rebasing: all[segment.payload])
            unsafe network.send(segment.header, payload: payload, to: machine)
        }
        session.settle()
        switch session.state {
        case .connecting, .accepting, .open: break
        case .finished, .failed: finish()
        }
        return false
    }

    override func finish() {
        guard !isFinished else { return }
        super.finish()
        if machine.nameConnections[session.remotePort] === self { machine.nameConnections[session.remotePort] = nil }
    }

    override var deadline: MonotonicClock? { session.deadline.map { min($0, idleEnd) } ?? idleEnd }

    override func deadlinePassed(_ now: MonotonicClock) {
        if idleEnd <= now {
            // Politely first.
            if isClosing || session.state != .open { session.abort() } else { session.close() }
            isClosing = true
            idleEnd = now.advanced(byMilliseconds: Self.patience)
        }
        session.timerExpired(at: now)
        network.schedule(self)
    }
}
