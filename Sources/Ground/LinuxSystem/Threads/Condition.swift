/// Lets threads wait until something has changed. What changed is kept elsewhere, under its own lock.
public final class Condition: @unchecked Sendable {
    // Unchecked: the count is read and changed with the lock held.
    private let lock = ConditionLock()
    private var count: UInt64 = 0

    public init() {}

    /// How often ``signal()`` was called. Read it before looking at what may have changed, and wait from there.
    public var generation: UInt64 {
        lock.lock()
        defer { lock.unlock() }
        return count
    }

    /// Waits until ``signal()`` was called after `generation` was read.
    public func wait(since generation: UInt64) {
        lock.lock()
        while count == generation { lock.wait() }
        lock.unlock()
    }

    /// Wakes every thread that waits.
    public func signal() {
        lock.lock()
        count &+= 1
        lock.broadcast()
        lock.unlock()
    }
}
