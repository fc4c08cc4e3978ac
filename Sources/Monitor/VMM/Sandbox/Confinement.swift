internal import CLinux
internal import Glibc
internal import KVM
public import LinuxSystem
internal import Synchronization
public import SystemPackage
internal import Virtio

/// Narrows what this process can do: a guest that takes over one of its threads through a fault of wander's can start
/// no programs and open no other files or sockets.
public enum Confinement {
    /// For the whole process, before its processors and devices have threads: no program that it starts gains
    /// privileges, nobody else reads its memory, where the guest's secrets are, and no core dump holds it. It reaches
    /// files only below the given folders, and makes only the system calls that running a machine takes.
    /// - Parameters:
    ///   - readable: Folders and files to read; what does not exist is left out.
    ///   - writable: Folders in which files are made, read, renamed and removed.
    ///   - served: Folders that guests have as file systems, to change or only to read, depending on their device.
    ///   - servesFiles: Whether there are any, also among those to read.
    /// - Returns: What this kernel cannot limit; nil if everything is.
    /// - Throws: Any other reason why the process cannot be confined; then no guest may start.
    public static func confineProcess(
        readable: [FilePath], writable: [FilePath], served: [FilePath] = [], servesFiles: Bool = false
    ) throws(SystemError) -> String? {
        var confinement = ProcessConfinement(filter: servesFiles ? fileServingProcess : process)
        confinement.readable = readable
        confinement.writable = writable
        confinement.served = served
        let outcome = try confinement.enter()
        hasFilter.store(outcome.limitsCalls, ordering: .releasing)
        return outcome.missing
    }

    /// Whether the process has a filter: then the kernel can filter its threads too.
    private static let hasFilter = Atomic(false)

    /// For the calling thread, for ever. A kernel without seccomp(2) leaves it as it is.
    /// - Throws: Why the filter is not on; then the thread must do nothing for a guest.
    static func confineThread(_ filter: SystemCallFilter?) throws(SystemError) {
        guard let filter, !(try filter.apply(toAllThreads: false)) else { return }
        if hasFilter.load(ordering: .acquiring) {
            throw SystemError("limit the system calls of a thread", nil, .noFunction)
        }
    }

    /// A guest's processor: runs it, and connects events and interrupts when the guest sets devices up. A device that
    /// the guest resets may finish there what it has under way: the same calls as on its own thread.
    static let processor = SystemCallFilter(
        allowing: common + storage + [Int(SYS_ioctl)],
        ioctlRequests: RequestNumbers.ofRunningGuest)

    /// The process as a whole: its own thread makes machines anew at a reset, and serves the control socket, the logs
    /// and the end record; the others have narrower filters on top of this one. Without: programs, the Internet, other
    /// processes.
    static let process = SystemCallFilter(
        allowing: processCalls, ioctlRequests: requests, conditions: opening)

    /// The same with a device that serves files.
    static let fileServingProcess = SystemCallFilter(
        allowing: processCalls + FileSystemDevice.systemCalls, ioctlRequests: requests,
        conditions: FileSystemDevice.conditions)

    private static let requests = RequestNumbers.ofRunningGuest + RequestNumbers.ofMaking

    /// Nothing is emptied by being opened: before Linux 6.2 Landlock lets that happen to a file that may only be read.
    /// Who serves files has to.
    private static let opening: [Int: ArgumentCondition] = [
        Int(SYS_open): .lacks(1, UInt32(O_TRUNC)), Int(SYS_openat): .lacks(2, UInt32(O_TRUNC)),
    ]

    private static let processCalls: [Int] =
        common + storage
        + [
            SYS_ioctl, SYS_open, SYS_openat, SYS_stat, SYS_newfstatat, SYS_lstat, SYS_statx, SYS_getdents64,
            SYS_unlink,
            SYS_unlinkat, SYS_rename, SYS_renameat, SYS_renameat2, SYS_mkdir, SYS_mkdirat, SYS_readlink,
            SYS_access, SYS_memfd_create, SYS_eventfd2, SYS_dup, SYS_dup2, SYS_dup3,
            SYS_accept4, SYS_pipe2, SYS_clone, SYS_prctl, SYS_seccomp, SYS_sched_getaffinity,
            SYS_rt_sigtimedwait, SYS_timerfd_settime, SYS_rt_sigpending, SYS_prlimit64, SYS_getuid, SYS_geteuid,
            SYS_gettimeofday,
            SYS_time,
        ].map { Int($0) }

    static func filter(for device: MachineSpecification.Device) -> SystemCallFilter {
        if device.servesFiles { return fileServingDevice }
        return device.reconnects ? connectingDevice : self.device
    }

    /// A device that serves a folder: Landlock and what it opened before say which.
    static let fileServingDevice = SystemCallFilter(
        allowing: common + storage + FileSystemDevice.systemCalls, conditions: FileSystemDevice.conditions)

    /// A device that finds its peer again: on a thread of its own, through a ``SocketConnector``.
    static let connectingDevice = SystemCallFilter(
        allowing: common + storage
            + [SYS_clone, SYS_prctl, SYS_sched_getaffinity, SYS_dup2, SYS_dup3].map { Int($0) })

    /// A device: moves data between the guest's memory and files or sockets that are open already.
    static let device = SystemCallFilter(allowing: common + storage)

    /// The clock of a machine with firmware: sets timers, and signals events.
    static let clock = SystemCallFilter(
        allowing: common
            + [SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_wait, SYS_epoll_pwait, SYS_timerfd_settime].map { Int($0) })

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
