import LinuxSystem

/// Notices when traffic that made the process grow has ended. It does not wake a network without traffic.
final class QuietTimer: EventSource {
    /// In milliseconds.
    static let interval: Int64 = 3_000
    /// In bytes: less in an interval is quiet, and less since the last time is not worth anything.
    static let threshold: UInt64 = 64 << 10

    private unowned let network: Network
    /// Bytes that had passed when the interval began.
    private var seen: UInt64 = 0
    private var released: UInt64 = 0
    private var next: MonotonicClock?

    init(_ network: Network) { self.network = network }

    private var bytes: UInt64 {
        network.machines.reduce(0) { $0 &+ $1.counters.bytesFrom &+ $1.counters.bytesTo }
    }

    override var deadline: MonotonicClock? {
        if next == nil, bytes &- released > Self.threshold { begin(.now) }
        return next
    }

    private func begin(_ now: MonotonicClock) {
        seen = bytes
        next = now.advanced(byMilliseconds: Self.interval)
    }

    override func deadlinePassed(_ now: MonotonicClock) {
        guard bytes &- seen < Self.threshold else { return begin(now) }
        next = nil
        released = bytes
        network.whenQuiet()
    }
}
