import CLinux
import Glibc
public import LinuxSystem

extension FileSystemServer {
    /// The numbers (x86-64) of the system calls that ``serve(_:)`` makes for files, for a filter of such calls. Memory
    /// and locks need a few more, which every thread does.
    public static let systemCalls: [Int] = [
        SYS_close, SYS_copy_file_range, SYS_dup, SYS_faccessat, SYS_fallocate, SYS_fchmodat, SYS_fdatasync,
        SYS_fstatfs, SYS_fsync, SYS_ftruncate, SYS_getdents64, SYS_getxattr, SYS_linkat, SYS_listxattr, SYS_lseek,
        SYS_mkdirat, SYS_mknodat, SYS_openat, SYS_openat2, SYS_preadv, SYS_pwritev2, SYS_readlinkat, SYS_removexattr,
        SYS_renameat2, SYS_setxattr, SYS_statx, SYS_symlinkat, SYS_syncfs, SYS_unlinkat, SYS_utimensat,
    ].map { Int($0) }

    /// Conditions on the arguments of some of them: no program may be made to run with its owner's rights.
    public static let conditions: [Int: ArgumentCondition] = [Int(SYS_fchmodat): .lacks(2, 0o4000)]
}
