import Glibc
import LinuxSystem
import NetworkControl

/// A guest's question on its way to the host's resolvers. It has a socket of its own, so that its port is as hard to guess
/// as the kernel makes it (RFC 5452).
final class ResolverQuery: EventSource {
    /// How long a server may take before the next is asked, in milliseconds.
    static let patience: Int64 = 2_000
    static let attempts = 4

    private var message: [UInt8]
    private let question: DNSQuestion
    private let servers: [SocketAddress]
    private let answered: ([UInt8]) -> Void
    private var descriptor: HeldDescriptor?
    private var attempt = 0
    private var limit: MonotonicClock

    init(
        _ question: DNSQuestion, message: [UInt8], servers: [SocketAddress], now: MonotonicClock,
        answered: @escaping ([UInt8]) -> Void
    ) {
        self.question = question
        self.message = message
        self.servers = servers
        self.answered = answered
        limit = now
        super.init()
        self.message.replaceSubrange(0..<2, with: randomBytes(count: 2))
        ask(now)
    }

    override var rawDescriptor: CInt { descriptor?.rawValue ?? -1 }
    override var interest: Int16 { descriptor == nil ? 0 : Int16(POLLIN) }
    override var deadline: MonotonicClock? { limit }

    private func ask(_ now: MonotonicClock) {
        descriptor = nil
        while attempt < Self.attempts, !servers.isEmpty {
            let server = servers[attempt % servers.count]
            attempt += 1
            let kind = CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
            let raw = socket(server.family, kind, 0)
            guard raw >= 0 else { continue }
            let socket = OwnedDescriptor(owning: raw)
            guard unsafe server.withKernelAddress({ unsafe connect(raw, $0, $1) }) == 0,
                unsafe message.withUnsafeBytes({ unsafe Glibc.send(raw, $0.baseAddress, $0.count, 0) }) == message.count
            else { continue }
            descriptor = HeldDescriptor(socket)
            limit = now.advanced(byMilliseconds: Self.patience)
            return
        }
        answer(question.answer(.serverFailure, authoritative: false))
    }

    private func answer(_ message: [UInt8]) {
        guard !isFinished else { return }
        finish()
        answered(message)
    }

    override func ready(_ events: Int16) {
        guard let descriptor else { return }
        var buffer = [UInt8](repeating: 0, count: 65_535)
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe recv(descriptor.rawValue, $0.baseAddress, $0.count, 0)
        }
        guard count >= 12 else {
            // Nobody listens there.
            if count < 0, errno != EAGAIN, errno != EINTR { ask(.now) }
            return
        }
        // Somebody who guesses must guess the identifier and repeat the question; anything else is ignored.
        guard buffer[0] == message[0], buffer[1] == message[1], buffer[2] & 0x80 != 0,
            count >= 12 + question.wireFormat.count,
            unsafe DNSName.parse(buffer.span.bytes, at: 12)?.name == question.name
        else { return }
        buffer[0] = UInt8(question.identifier >> 8)
        buffer[1] = UInt8(question.identifier & 0xff)
        answer(Array(buffer[..<count]))
    }

    override func deadlinePassed(_ now: MonotonicClock) { ask(now) }
}
