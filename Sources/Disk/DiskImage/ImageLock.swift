import CLinux
import LinuxSystem

/// Keeps programs from changing an image that another one uses (F_OFD_SETLK, fcntl(2)).
///
/// A writer locks the whole file against everybody. A reader locks single bytes, the same ones as QEMU
/// (block/file-posix.c: byte 100 + n says that the holder needs permission n, byte 200 + n that it does not share it),
/// so that several readers of either program share an image and none of them shares it with a writer of either.
enum ImageLock {
    private static let consistentRead: Int = 100
    private static let write = 101
    private static let resize = 103
    private static let unsharedRead = 200
    private static let unsharedWrite = 201
    private static let unsharedResize = 203

    private static func request(_ type: CInt, _ byte: Int?) -> flock {
        flock(l_type: Int16(type), l_whence: Int16(SEEK_SET), l_start: byte ?? 0, l_len: byte == nil ? 0 : 1, l_pid: 0)
    }

    /// Takes the lock if nobody holds a conflicting one.
    /// - Returns: Whether it is held now.
    static func tryLock(_ descriptor: borrowing OwnedDescriptor, _ access: DiskAccess) -> Bool {
        guard access == .readOnly else { return set(descriptor, F_WRLCK, nil) }
        for byte in [consistentRead, unsharedWrite, unsharedResize] where !set(descriptor, F_RDLCK, byte) {
            return false
        }
        for byte in [write, resize, unsharedRead] where isHeldElsewhere(descriptor, byte) { return false }
        return true
    }

    static func unlock(_ descriptor: borrowing OwnedDescriptor) { _ = set(descriptor, F_UNLCK, nil) }

    private static func set(_ descriptor: borrowing OwnedDescriptor, _ type: CInt, _ byte: Int?) -> Bool {
        var lock = request(type, byte)
        return unsafe linux_fcntl_lock(descriptor.rawValue, CInt(linux_ofd_set_lock), &lock) == 0
    }

    private static func isHeldElsewhere(_ descriptor: borrowing OwnedDescriptor, _ byte: Int) -> Bool {
        var lock = request(F_WRLCK, byte)
        return unsafe linux_fcntl_lock(descriptor.rawValue, CInt(linux_ofd_get_lock), &lock) == 0
            && lock.l_type != Int16(F_UNLCK)
    }
}
