import CLinux

/// Lets threads wait until something has changed. What changed is kept elsewhere, under its own lock.
@safe public final class Condition: @unchecked Sendable {
    // Unchecked: every access to the stored values happens with `mutex` held.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var count: UInt64 = 0

    public init() {
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// How often ``signal()`` was called. Read it before looking at what may have changed, and wait from there.
    public var generation: UInt64 {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return count
    }

    /// Waits until ``signal()`` was called after `generation` was read.
    public func wait(since generation: UInt64) {
        unsafe pthread_mutex_lock(mutex)
        while count == generation { unsafe pthread_cond_wait(condition, mutex) }
        unsafe pthread_mutex_unlock(mutex)
    }

    /// Wakes every thread that waits.
    public func signal() {
        unsafe pthread_mutex_lock(mutex)
        count &+= 1
        unsafe pthread_cond_broadcast(condition)
        unsafe pthread_mutex_unlock(mutex)
    }
}
