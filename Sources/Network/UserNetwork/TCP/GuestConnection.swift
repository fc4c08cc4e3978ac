/// A TCP connection with a guest. It sends at the end of each round in which something arrived for it.
class GuestConnection: EventSource {
    /// Whether the network will call ``pump()``.
    var isScheduled = false

    /// Sends what may be sent, and draws the consequences of what has happened.
    /// - Returns: Whether it waits for the machine's link to drain.
    func pump() -> Bool { false }
}
