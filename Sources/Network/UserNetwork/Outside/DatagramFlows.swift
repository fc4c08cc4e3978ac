import LinuxSystem

/// The guest's UDP ports that libslirp has a socket for: what they send opens no other.
struct DatagramFlows {
    enum Port: Hashable {
        case v4(UInt16)
        case v6(IPv6Address, UInt16)
    }

    /// libslirp closes a socket that was silent for 240 s. In milliseconds, a little less.
    static let age: Int64 = 230_000

    private var used: [Port: MonotonicClock] = [:]

    /// Whether a port has a socket, which it goes on using.
    mutating func knows(_ port: Port, at now: MonotonicClock) -> Bool {
        guard let last = used[port], now.milliseconds(since: last) < Self.age else { return false }
        used[port] = now
        return true
    }

    mutating func insert(_ port: Port, at now: MonotonicClock) {
        if used.count >= 2 * NATEngine.socketLimit {
            used = used.filter { now.milliseconds(since: $0.value) < Self.age }
        }
        used[port] = now
    }

    mutating func removeAll() { used = [:] }
}
