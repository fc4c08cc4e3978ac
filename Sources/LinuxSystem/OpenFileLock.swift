import CLinux
import Glibc
import SystemPackage

/// A whole-file lock that belongs to an open file description (F_OFD_SETLK, fcntl(2)): it ends when the last descriptor
/// for it is closed, however the holding process ended, and a child that inherits the descriptor holds it too.
public enum OpenFileLock {
    public enum Mode: Sendable { case shared, exclusive }

    private static func request(_ type: CInt) -> flock {
        flock(l_type: Int16(type), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
    }

    /// Takes the lock if nobody holds a conflicting one.
    /// - Returns: Whether the lock is held now.
    public static func tryLock(_ descriptor: borrowing OwnedDescriptor, _ mode: Mode) throws(SystemError) -> Bool {
        var lock = request(mode == .shared ? F_RDLCK : F_WRLCK)
        let result = unsafe linux_fcntl_lock(descriptor.rawValue, CInt(linux_ofd_set_lock), &lock)
        if result == -Int(EAGAIN) || result == -Int(EACCES) { return false }
        _ = try checked(result, "lock")
        return true
    }

    /// Waits for the lock; observes `cancellation` ten times a second, since the kernel has no waitable form of it.
    /// - Returns: False when cancelled or when the time was over.
    public static func lock(
        _ descriptor: borrowing OwnedDescriptor, _ mode: Mode, milliseconds: Int64 = .max,
        cancellation: Cancellation? = nil
    ) throws(SystemError) -> Bool {
        let deadline = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
        while !(try tryLock(descriptor, mode)) {
            if let cancellation, cancellation.wait(milliseconds: 100) { return false }
            if cancellation == nil { _ = usleep(100_000) }
            if MonotonicClock.now > deadline { return false }
        }
        return true
    }

    public static func unlock(_ descriptor: borrowing OwnedDescriptor) {
        var lock = request(F_UNLCK)
        _ = unsafe linux_fcntl_lock(descriptor.rawValue, CInt(linux_ofd_set_lock), &lock)
    }

    /// Whether another open file description holds a lock that conflicts with `mode`. Changes nothing.
    public static func isHeldElsewhere(
        _ descriptor: borrowing OwnedDescriptor, against mode: Mode = .exclusive
    ) throws(SystemError) -> Bool {
        var lock = request(mode == .shared ? F_RDLCK : F_WRLCK)
        _ = try checked(unsafe linux_fcntl_lock(descriptor.rawValue, CInt(linux_ofd_get_lock), &lock), "look at a lock")
        return lock.l_type != Int16(F_UNLCK)
    }
}
