internal import CLinux
internal import Glibc
internal import LinuxSystem

/// Narrows what this process can do: a guest that takes over one of its threads through a fault of ours finds neither
/// programs to start nor files or sockets to open.
public enum Confinement {
    /// For the whole process: no program that it starts gains privileges, nobody else reads its memory, where the guest's
    /// secrets are, and no core dump holds it.
    public static func confineProcess() {
        _ = linux_prctl(38, 1, 0)  // PR_SET_NO_NEW_PRIVS
        _ = linux_prctl(4, 0, 0)  // PR_SET_DUMPABLE
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = unsafe setrlimit(__rlimit_resource_t(4), &none)  // RLIMIT_CORE
    }

    /// For the calling thread, for ever. A kernel without seccomp(2) leaves it as it is.
    static func confineThread(_ filter: SystemCallFilter?) { try? filter?.apply(toAllThreads: false) }

    /// A guest's processor: runs it, and connects events and interrupts when the guest sets devices up. A device that the
    /// guest resets may finish there what it has under way: the same calls as on its own thread.
    static let processor = SystemCallFilter(
        allowing: common + storage + [Int(SYS_ioctl)],
        ioctlRequests: [
            0xae80,  // KVM_RUN
            0x4008_ae6a, 0x4020_ae76, 0x4040_ae79,  // KVM_SET_GSI_ROUTING, KVM_IRQFD, KVM_IOEVENTFD
            0x8090_ae81,  // KVM_GET_REGS
        ])

    static func filter(for device: MachineSpecification.Device) -> SystemCallFilter {
        device.reconnects ? connectingDevice : self.device
    }

    /// A device that finds its peer again: on a thread of its own, by a Unix socket.
    static let connectingDevice = SystemCallFilter(
        allowing: common + storage
            + [
                SYS_clone, SYS_clone3, SYS_prctl, SYS_sched_getaffinity, SYS_socket, SYS_connect, SYS_dup2, SYS_dup3,
            ].map { Int($0) },
        socketFamilies: [AF_UNIX])

    /// A device: moves data between the guest's memory and files or sockets that are open already.
    static let device = SystemCallFilter(allowing: common + storage)

    /// What every thread needs: memory, locks, signals, time, its own end, and eventfds.
    private static let common: [Int] = [
        SYS_read, SYS_write, SYS_close, SYS_poll, SYS_ppoll, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_brk, SYS_mremap,
        SYS_madvise, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_sched_yield,
        SYS_nanosleep, SYS_clock_gettime, SYS_clock_nanosleep, SYS_getpid, SYS_gettid, SYS_restart_syscall, SYS_tgkill,
        SYS_exit, SYS_exit_group, SYS_futex, SYS_set_robust_list, SYS_rseq, SYS_getrandom, SYS_membarrier,
    ].map { Int($0) }

    private static let storage: [Int] = [
        SYS_fstat, SYS_lseek, SYS_fcntl, SYS_pread64, SYS_pwrite64, SYS_readv, SYS_writev, SYS_preadv, SYS_pwritev,
        SYS_preadv2, SYS_pwritev2, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_fsync, SYS_fdatasync,
        SYS_ftruncate, SYS_fallocate, SYS_copy_file_range, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_wait,
        SYS_epoll_pwait, SYS_shutdown, SYS_getsockopt,
    ].map { Int($0) }
}
