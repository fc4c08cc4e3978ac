import CLinux
import Glibc
import LinuxSystem
import NetworkControl
import SystemPackage

/// What the process gives up before the first guest talks to it. C code reads what guests send, so a guest that takes
/// it over should gain little.
enum Sandbox {
    /// - Returns: What this kernel cannot limit, to be logged; nil if everything is.
    /// - Throws: What else keeps the process from being limited; it may serve nobody then.
    static func enter(_ configuration: NetworkConfiguration) throws(SystemError) -> String? {
        // Every connection of every guest is a descriptor; the soft limit is made for programs that use select(2).
        OpenFileLimit.raise(to: 65_536)
        var confinement = ProcessConfinement(
            filter: SystemCallFilter(
                allowing: calls, ioctlRequests: socketRequests, conditions: [Int(SYS_socket): sockets]))
        confinement.allowsTCP = true
        confinement.writable = [configuration.run]
        // libslirp's random numbers come from /dev/urandom; without it they would follow from the time and the
        // process's number.
        confinement.readable =
            ["/etc", "/usr/share/zoneinfo", "/proc/self/fd", "/dev/urandom", configuration.resolverFile]
            + resolverFolders(configuration.resolverFile)
        return try confinement.enter().missing
    }

    /// Where resolv.conf(5) leads to, whoever writes it: often a link into a folder of /run, never all of that, where
    /// other programs keep what they know of this user.
    private static func resolverFolders(_ file: FilePath) -> [FilePath] {
        let usual: [FilePath] = [
            "/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf", "/run/connman", "/run/netconfig",
        ]
        guard let folder = (try? FileSystem.resolve(file))?.removingLastComponent() else { return usual }
        return folder == "/run" || folder == "/" ? usual : usual + [folder]
    }

    /// What sockets are asked: how much there is, by libslirp before it reads a datagram; an interface's index, for the
    /// scope of a resolver's address such as `fe80::1%eth0`.
    private static let socketRequests = [FIONREAD, SIOCGIFINDEX].map { UInt32($0) }

    /// The Internet's; Unix ones only for the datagrams of emulated machines: what has a listener, such as a session's
    /// bus or another control socket, cannot be reached through these.
    private static let sockets: ArgumentCondition = {
        let flags = [0, SOCK_CLOEXEC.rawValue, SOCK_NONBLOCK.rawValue, SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue]
        let kinds = flags.map { UInt32(SOCK_DGRAM.rawValue | $0) }
        let internet = [AF_INET, AF_INET6].map { UInt32($0) }
        return ArgumentCondition.isOneOf(0, internet).or(.isOneOf(0, [UInt32(AF_UNIX)]).and(.isOneOf(1, kinds)))
    }()

    /// Every call that serving needs: sockets, files of the network's folder, memory, time. No program can be started,
    /// no thread made, no other process touched.
    private static let calls = [
        SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_close, SYS_poll, SYS_ppoll, SYS_recvfrom,
        SYS_sendto,
        SYS_recvmsg, SYS_sendmsg, SYS_accept, SYS_accept4, SYS_socket, SYS_connect, SYS_bind, SYS_listen, SYS_shutdown,
        SYS_getsockname, SYS_getpeername, SYS_setsockopt, SYS_getsockopt, SYS_fcntl, SYS_ioctl, SYS_dup, SYS_openat,
        SYS_open, SYS_fstat, SYS_stat, SYS_lstat, SYS_newfstatat, SYS_lseek, SYS_unlink, SYS_unlinkat, SYS_rename,
        SYS_renameat, SYS_renameat2, SYS_fsync, SYS_fdatasync, SYS_ftruncate, SYS_getdents64, SYS_readlink,
        SYS_futex,
        SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mprotect, SYS_brk, SYS_rt_sigaction, SYS_rt_sigprocmask,
        SYS_rt_sigreturn, SYS_rt_sigtimedwait, SYS_sigaltstack, SYS_clock_gettime, SYS_clock_nanosleep, SYS_nanosleep,
        SYS_gettimeofday, SYS_time, SYS_getrandom, SYS_exit, SYS_exit_group, SYS_getpid, SYS_gettid, SYS_tgkill,
        SYS_restart_syscall, SYS_sched_yield, SYS_sysinfo, SYS_uname, SYS_getuid, SYS_geteuid, SYS_prlimit64,
        SYS_eventfd2,
    ].map { Int($0) }
}
