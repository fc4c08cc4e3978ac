import CLinux
import Glibc
import LinuxSystem
import Virtio

/// What the process gives up before its guest talks to it: programs, other folders, the network.
enum Sandbox {
    /// - Returns: What this kernel cannot limit; nil if everything is.
    /// - Throws: What else keeps the process from being limited; it may serve nobody then.
    static func enter(_ share: ShareArguments) throws(SystemError) -> String? {
        var confinement = ProcessConfinement(
            filter: SystemCallFilter(
                allowing: calls + FileSystemDevice.systemCalls, conditions: FileSystemDevice.conditions))
        if share.isReadOnly { confinement.readable = [share.folder] } else { confinement.served = [share.folder] }
        return try confinement.enter().missing
    }

    /// Memory, threads, the connection, and the descriptors that come over it.
    private static let calls = [
        SYS_read, SYS_write, SYS_close, SYS_fstat, SYS_newfstatat, SYS_fcntl, SYS_recvmsg, SYS_sendmsg, SYS_sendto,
        SYS_recvfrom,
        SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_wait, SYS_epoll_pwait, SYS_poll, SYS_ppoll, SYS_eventfd2, SYS_mmap,
        SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk, SYS_futex, SYS_clone, SYS_rseq,
        SYS_set_robust_list, SYS_prctl, SYS_seccomp, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
        SYS_sigaltstack,
        SYS_sched_getaffinity, SYS_sched_yield, SYS_clock_gettime, SYS_clock_nanosleep, SYS_nanosleep, SYS_getrandom,
        SYS_getpid, SYS_gettid, SYS_tgkill, SYS_membarrier, SYS_restart_syscall, SYS_exit, SYS_exit_group,
    ].map { Int($0) }
}
