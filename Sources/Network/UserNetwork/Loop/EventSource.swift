import LinuxSystem

/// Something that the loop waits for: a descriptor, an instant, or both. Everything runs on the loop's one thread.
class EventSource {
    /// -1 waits only for ``deadline``.
    var rawDescriptor: CInt { -1 }
    /// The poll(2) events to wait for; 0 leaves the descriptor out, even its hang-up.
    var interest: Int16 { 0 }
    /// When ``deadlinePassed(_:)`` is to be called.
    var deadline: MonotonicClock? { nil }
    /// The loop forgets a finished source, and with it its descriptor, at the end of its round.
    private(set) var isFinished = false

    func ready(_ events: Int16) {}
    func deadlinePassed(_ now: MonotonicClock) {}
    func finish() { isFinished = true }
}
