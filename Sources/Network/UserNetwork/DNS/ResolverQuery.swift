import Glibc
import LinuxSystem
import NetworkAddress
import NetworkControl

/// A guest's question on its way to the host's resolvers. It has a socket of its own, so that its port is as hard to
/// guess as the kernel makes it (RFC 5452).
final class ResolverQuery: EventSource {
    /// How long a server may take before the next is asked, in milliseconds.
    static let patience: Int64 = 2_000
    static let attempts = 4

    /// How the guest asked; its question is passed on in the same way, so that what was too long for a datagram gets
    /// through.
    private let transport: Transport
    private var message: [UInt8]
    private let question: DNSQuestion
    private let servers: [SocketAddress]
    private let account: DescriptorAccount?
    private let answered: ([UInt8]) -> Void
    private var descriptor: HeldDescriptor?
    private var attempt = 0
    private var limit: MonotonicClock
    /// What a stream has not taken yet, and what has come out of it.
    private var outgoing: ArraySlice<UInt8> = []
    private var incoming: [UInt8] = []

    init(
        _ question: DNSQuestion, message: [UInt8], _ transport: Transport, servers: [SocketAddress],
        countedBy account: DescriptorAccount? = nil, now: MonotonicClock, answered: @escaping ([UInt8]) -> Void
    ) {
        self.question = question
        self.transport = transport
        self.message = message
        self.servers = servers
        self.account = account
        self.answered = answered
        limit = now
        super.init()
        self.message.replaceSubrange(0..<2, with: randomBytes(count: 2))
        ask(now)
    }

    override var rawDescriptor: CInt { descriptor?.rawValue ?? -1 }
    override var interest: Int16 { descriptor == nil ? 0 : Int16(outgoing.isEmpty ? POLLIN : POLLOUT) }
    override var deadline: MonotonicClock? { limit }

    private func ask(_ now: MonotonicClock) {
        descriptor = nil
        while attempt < Self.attempts, !servers.isEmpty {
            let server = servers[attempt % servers.count]
            attempt += 1
            let type = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
            let raw = socket(server.family, CInt(type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            guard raw >= 0 else { continue }
            let socket = OwnedDescriptor(owning: raw)
            let isConnected = unsafe server.withKernelAddress { unsafe connect(raw, $0, $1) } == 0
            switch transport {
            case .tcp:
                guard isConnected || errno == EINPROGRESS else { continue }
                outgoing = [UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message[...]
                incoming = []
            case .udp:
                guard isConnected,
                    unsafe message.withUnsafeBytes({ unsafe send(raw, $0.baseAddress, $0.count, 0) }) == message.count
                else { continue }
            }
            descriptor = HeldDescriptor(socket, countedBy: account)
            limit = now.advanced(byMilliseconds: Self.patience)
            return
        }
        giveUp()
    }

    /// Tells the guest that there will be no answer.
    func giveUp() { answer(question.answer(.serverFailure, authoritative: false)) }

    private func answer(_ message: [UInt8]) {
        guard !isFinished else { return }
        finish()
        descriptor = nil
        answered(message)
    }

    override func ready(_ events: Int16) {
        guard let descriptor else { return }
        switch transport {
        case .udp: receive(descriptor.rawValue)
        case .tcp: if outgoing.isEmpty { readStream(descriptor.rawValue) } else { writeStream(descriptor.rawValue) }
        }
    }

    private func receive(_ raw: CInt) {
        var buffer = [UInt8](repeating: 0, count: 65_535)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(raw, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else {
            // Nobody listens there.
            if errno != EAGAIN, errno != EINTR { ask(.now) }
            return
        }
        // Anything else is ignored: the right one may still come.
        if isAnswer(buffer[..<count]) { answer(withGuestsNumber(buffer[..<count])) }
    }

    private func writeStream(_ raw: CInt) {
        let count = unsafe outgoing.withUnsafeBytes { unsafe send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if count > 0 { return outgoing.removeFirst(count) }
        if errno != EAGAIN, errno != EINTR { ask(.now) }
    }

    private func readStream(_ raw: CInt) {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(raw, $0.baseAddress, $0.count, 0) }
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { return ask(.now) }
        incoming += buffer[..<count]
        guard incoming.count >= 2 else { return }
        let length = Int(incoming[0]) << 8 | Int(incoming[1])
        guard incoming.count >= 2 + length else { return }
        let message = incoming[2..<2 + length]
        if isAnswer(message) { answer(withGuestsNumber(message)) } else { ask(.now) }
    }

    /// Somebody who guesses must guess the identifier and repeat the question.
    private func isAnswer(_ received: ArraySlice<UInt8>) -> Bool {
        let received = Array(received)
        guard received.count >= 12 + question.wireFormat.count else { return false }
        return unsafe received[..<2] == message[..<2] && received[2] & 0x80 != 0
            && DNSName.parse(received.span.bytes, at: 12)?.name == question.name
    }

    private func withGuestsNumber(_ received: ArraySlice<UInt8>) -> [UInt8] {
        [UInt8(question.identifier >> 8), UInt8(question.identifier & 0xff)] + received.dropFirst(2)
    }

    override func deadlinePassed(_ now: MonotonicClock) { ask(now) }
}
