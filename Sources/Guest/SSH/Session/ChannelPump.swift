import Glibc
import LinuxSystem
import SystemPackage

/// Moves bytes between a channel and the host until the command has ended. Reads and writes take turns, so that a
/// command that prints much while it reads much does not block both sides.
struct ChannelPump {
    private let channel: SSHChannel
    private let input: SSHInput
    private let limit: MonotonicClock?
    private let milliseconds: Int64
    private var pending: ArraySlice<UInt8> = []
    private var inputHasEnded = false
    private var endIsSent = false
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// Called on every turn; with it the pump wakes up at least four times a second.
    var onTurn: (() -> Void)?
    /// Asked after output has arrived; true ends the run although the command's output is still open.
    var isComplete: (() -> Bool)?
    /// How long nothing may move in any direction, in milliseconds; nil for no limit.
    var silence: Int64?
    private var lastMove = MonotonicClock.now
    /// Sees input from a descriptor before it is sent; returns false to end the session.
    var inspect: ((inout [UInt8]) -> Bool)?

    init(_ channel: SSHChannel, input: SSHInput, limit: MonotonicClock? = nil, milliseconds: Int64 = 0) {
        self.channel = channel
        self.input = input
        self.limit = limit
        self.milliseconds = milliseconds
        switch input {
        case .nothing: inputHasEnded = true
        case .bytes(let bytes):
            pending = bytes[...]
            inputHasEnded = true
        case .held(let bytes): pending = bytes[...]
        case .descriptor, .source: break
        }
    }

    mutating func run(
        output: (ArraySlice<UInt8>) throws(SSHError) -> Void, error: (ArraySlice<UInt8>) throws(SSHError) -> Void
    ) throws(SSHError) -> SSHOutcome {
        while true {
            onTurn?()
            var progressed = try drain(.output, output)
            progressed = try drain(.error, error) || progressed
            if progressed, let isComplete, isComplete() { return .unknown }
            if channel.isAtEnd {
                // libssh2 may have taken more off the wire since the first look at the output.
                _ = try drain(.output, output)
                _ = try drain(.error, error)
                break
            }
            progressed = try feed() || progressed
            if progressed {
                lastMove = .now
                continue
            }
            try checkTime()
            try waitForWork()
        }
        return try channel.finish(until: limit ?? MonotonicClock.now.advanced(byMilliseconds: 30_000))
    }

    private mutating func drain(
        _ stream: SSHChannel.Stream, _ receive: (ArraySlice<UInt8>) throws(SSHError) -> Void
    ) throws(SSHError) -> Bool {
        var any = false
        // Bounded, so that a command that prints without end does not hide the time limit and the cancellation.
        for _ in 0..<64 {
            guard let count = try channel.read(stream, into: &buffer), count > 0 else { return any }
            try receive(buffer[..<count])
            any = true
        }
        try checkTime()
        return any
    }

    private func checkTime() throws(SSHError) {
        if channel.session.options.cancellation?.isRequested == true { throw .interrupted }
        let end = [limit, channel.session.deadline].compactMap(\.self).min()
        if let end, MonotonicClock.now >= end { throw .timedOut(.channel, milliseconds: milliseconds) }
        if let silenceEnd, let silence, MonotonicClock.now >= silenceEnd {
            throw .timedOut(.channel, milliseconds: silence)
        }
    }

    private var silenceEnd: MonotonicClock? { silence.map { lastMove.advanced(byMilliseconds: $0) } }

    private mutating func feed() throws(SSHError) -> Bool {
        if pending.isEmpty, !inputHasEnded { try refill() }
        if channel.session.isCongested { return false }
        if !pending.isEmpty {
            let count = try channel.write(pending.prefix(32_000))
            pending.removeFirst(count)
            return count > 0
        }
        if inputHasEnded, !endIsSent {
            endIsSent = try channel.sendEnd()
            return endIsSent
        }
        return false
    }

    private mutating func refill() throws(SSHError) {
        switch input {
        case .nothing, .bytes: inputHasEnded = true
        case .held: break
        case .source(let next):
            pending = try next(64 << 10)[...]
            if pending.isEmpty { inputHasEnded = true }
        case .descriptor(let raw):
            var set = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
            guard poll(&set, 1, 0) > 0 else { return }
            let count = Glibc.read(raw, &buffer, buffer.count)
            if count < 0, errno == EINTR || errno == EAGAIN { return }
            // An input that cannot be read any more has ended.
            guard count > 0 else {
                inputHasEnded = true
                return
            }
            var bytes = Array(buffer[..<count])
            if let inspect, !inspect(&bytes) { throw .interrupted }
            pending = bytes[...]
        }
    }

    private func waitForWork() throws(SSHError) {
        var interest: Poller.Interest = .readable
        if channel.session.isCongested, !pending.isEmpty { interest.insert(.writable) }
        var other: CInt = -1
        if case .descriptor(let raw) = input, !inputHasEnded, pending.isEmpty { other = raw }
        let pauses = [onTurn == nil ? nil : 250, silenceEnd.map { max(1, $0.milliseconds(since: .now)) }]
        try channel.session.wait(
            .channel, for: interest, until: limit, milliseconds: milliseconds, other: other,
            pause: pauses.compactMap(\.self).min())
    }
}
