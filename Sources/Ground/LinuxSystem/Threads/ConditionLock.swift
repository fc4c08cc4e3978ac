import Glibc

/// A lock with one condition: what pthreads call a mutex and a condition variable, at an address that stays.
///
/// `lock` and `unlock` instead of a closure, because the callers throw typed errors and wait in the middle.
@safe public final class ConditionLock: @unchecked Sendable {
    // Unchecked: both objects are made for use by several threads.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

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

    public func lock() { unsafe pthread_mutex_lock(mutex) }
    public func unlock() { unsafe pthread_mutex_unlock(mutex) }
    /// Gives the lock up until somebody calls ``broadcast()``; may also return without that.
    public func wait() { unsafe pthread_cond_wait(condition, mutex) }
    public func broadcast() { unsafe pthread_cond_broadcast(condition) }
}
