import CLinux
import Glibc
import LinuxSystem

/// What the process gives up before it reads the first byte: everything except its pipes and logs, which are already
/// open.
enum Sandbox {
    /// - Returns: What this kernel cannot limit; nil if everything is.
    /// - Throws: What else keeps the process from being limited.
    static func enter() throws(SystemError) -> String? {
        try ProcessConfinement(filter: SystemCallFilter(allowing: calls)).enter().missing
    }

    private static let calls = [
        SYS_read, SYS_pread64, SYS_write, SYS_close, SYS_fstat, SYS_newfstatat, SYS_ftruncate, SYS_epoll_ctl,
        SYS_epoll_wait, SYS_epoll_pwait, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk,
        SYS_futex, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_clock_gettime,
        SYS_getrandom, SYS_getpid, SYS_gettid, SYS_restart_syscall, SYS_sched_yield, SYS_exit, SYS_exit_group,
    ].map { Int($0) }
}
