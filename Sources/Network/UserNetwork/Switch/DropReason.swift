/// Why a machine's frame was dropped. The names are part of what `wander net status --json` prints.
enum DropReason: String, CaseIterable {
    case malformed
    case spoofedMAC = "spoofed-mac"
    case spoofedAddress = "spoofed-address"
    case unknownProtocol = "unknown-protocol"
    /// For an address that no machine has.
    case noRecipient = "no-recipient"
    case notAllowed = "not-allowed"
    /// More broadcasts, fragments or connections than a machine may cause.
    case excess
}

/// Limits how often something happens: on average `rate` times a second, `burst` times at once.
struct TokenBucket {
    let rate: Double
    let burst: Double
    private var tokens: Double
    private var filled: Int64 = 0

    init(rate: Double, burst: Double) {
        self.rate = rate
        self.burst = burst
        tokens = burst
    }

    /// - Parameter nanoseconds: The present, of the monotonic clock.
    mutating func take(_ amount: Double = 1, at nanoseconds: Int64) -> Bool {
        let passed = max(0, nanoseconds &- filled)
        tokens = min(burst, tokens + Double(passed) / 1e9 * rate)
        filled = nanoseconds
        guard tokens >= amount else { return false }
        tokens -= amount
        return true
    }
}
