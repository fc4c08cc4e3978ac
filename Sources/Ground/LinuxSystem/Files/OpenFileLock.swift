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

    /// Waits for the lock; looks at it up to ten times a second, since the kernel has no waitable form of it.
    /// - Returns: False when cancelled or when the time was over.
    public static func lock(
        _ descriptor: borrowing OwnedDescriptor, _ mode: Mode, milliseconds: Int64 = .max,
        cancellation: Cancellation? = nil
    ) throws(SystemError) -> Bool {
        let deadline = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
        let patience = Patience(
            until: deadline, first: .milliseconds(20), growing: 1.5, most: .milliseconds(100),
            cancellation: cancellation)
        do {
            try patience.wait(for: "a lock") { try tryLock(descriptor, mode) ? .here(()) : .notYet(because: nil) }
            return true
        } catch let error as SystemError {
            throw error
        } catch {
            return false
        }
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
