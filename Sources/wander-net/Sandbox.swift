import CLinux
import Glibc
import LinuxSystem
import NetworkControl
import Reporting
import SystemPackage

/// What the process gives up before the first guest talks to it: C code reads what guests send, and if one of them ever
/// takes it over, there should be little to gain.
enum Sandbox {
    /// - Returns: What could not be limited, to be logged; nil if all was.
    static func enter(_ configuration: NetworkConfiguration) -> String? {
        // Every connection of every guest is a descriptor; the soft limit is made for programs that use select(2).
        var descriptors = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &descriptors) == 0 {
            descriptors.rlim_cur = min(descriptors.rlim_max, 65_536)
            _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &descriptors)
        }
        // No core dumps, no ptrace by others: packets in flight are the guests' secrets.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        _ = linux_prctl(CInt(PR_SET_DUMPABLE), 0, 0)
        var missing: [String] = []
        do {
            // Machines that come later have their sockets below the folder that the network's own folder is in.
            var writable = [configuration.folder.removingLastComponent()]
            for machine in configuration.machines {
                writable.append(machine.socket.removingLastComponent())
                if let access = machine.access { writable.append(access.removingLastComponent()) }
            }
            // resolv.conf(5) is often a link into /run. libslirp's random numbers come from /dev/urandom; without it they
            // would follow from the time and the process's number.
            let readable: [FilePath] = [
                "/etc", "/run", "/usr/share/zoneinfo", "/proc/self/fd", "/dev/urandom", configuration.resolverFile,
            ]
            if !(try FileAccessLimit.apply(readable: readable, writable: writable)) {
                missing.append("files (Landlock)")
            }
        } catch { missing.append("files: \(error.summary)") }
        do {
            try SystemCallFilter(
                allowing: calls, socketFamilies: [AF_UNIX, AF_INET, AF_INET6], ioctlRequests: socketRequests
            ).apply()
        } catch { missing.append("system calls: \(error.summary)") }
        return missing.isEmpty ? nil : "not limited on this kernel: \(missing.joined(separator: ", "))"
    }

    /// What sockets are asked: FIONREAD, by libslirp before it reads a datagram; SIOCGIFINDEX, for the scope of a resolver's
    /// address such as `fe80::1%eth0`.
    private static let socketRequests: [UInt32] = [0x541b, 0x8933]

    /// Every call that serving needs: sockets, files of the network's folder, memory, time. No program can be started, no
    /// thread made, no other process touched.
    private static let calls = [
        SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_close, SYS_poll, SYS_ppoll, SYS_recvfrom,
        SYS_sendto,
        SYS_recvmsg, SYS_sendmsg, SYS_accept, SYS_accept4, SYS_socket, SYS_connect, SYS_bind, SYS_listen, SYS_shutdown,
        SYS_getsockname, SYS_getpeername, SYS_setsockopt, SYS_getsockopt, SYS_fcntl, SYS_ioctl, SYS_dup, SYS_openat,
        SYS_open, SYS_fstat, SYS_stat, SYS_lstat, SYS_newfstatat, SYS_lseek, SYS_unlink, SYS_unlinkat, SYS_rename,
        SYS_renameat, SYS_renameat2, SYS_fsync, SYS_fdatasync, SYS_fchmod, SYS_getdents64, SYS_readlink, SYS_futex,
        SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mprotect, SYS_brk, SYS_rt_sigaction, SYS_rt_sigprocmask,
        SYS_rt_sigreturn, SYS_rt_sigtimedwait, SYS_sigaltstack, SYS_clock_gettime, SYS_clock_nanosleep, SYS_nanosleep,
        SYS_gettimeofday, SYS_time, SYS_getrandom, SYS_exit, SYS_exit_group, SYS_getpid, SYS_gettid, SYS_tgkill,
        SYS_restart_syscall, SYS_sched_yield, SYS_sysinfo, SYS_uname, SYS_getuid, SYS_geteuid, SYS_prlimit64,
        SYS_eventfd2,
        // What a thread that was made just before still does on its way to its work.
        SYS_rseq, SYS_set_robust_list, SYS_prctl, SYS_set_tid_address,
    ].map { Int($0) }
}
