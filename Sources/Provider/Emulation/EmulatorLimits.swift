import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// What QEMU may still do: its own developers do not regard the translator as a boundary against a hostile guest. It
/// can use its machine's disks and the folder of its sockets and logs, and read the files of programs.
struct EmulatorLimits: Sendable {
    /// QEMU's own filter: no other programs, no privileges, nothing of the host's scheduling.
    static let sandbox = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

    private let readable: [FilePath]
    private let writable: [FilePath]
    private let executable: [FilePath]

    /// - Parameter program: The emulator.
    init(_ plan: LaunchPlan, program: FilePath) {
        func place(_ path: FilePath) -> FilePath { plan.folder.path.pushing(path) }
        let folder = (try? FileSystem.resolve(program))?.removingLastComponent() ?? program.removingLastComponent()
        let prefix = folder.removingLastComponent()
        // Firmware and device ROMs, and modules, of one that is not the system's.
        let parts = ["share/qemu", "lib", "lib64", "libexec"].map { prefix.pushing(FilePath($0)) }
        // Where other package managers keep programs' libraries.
        let stores: [FilePath] = ["/nix/store", "/gnu/store", "/home/linuxbrew/.linuxbrew"]
        executable = ["/usr", "/bin", "/lib", "/lib64", folder] + stores + (prefix == "/" ? [] : parts)
        // What the C library and QEMU ask about the host.
        let host: [FilePath] = [
            "/etc", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/sys", "/proc/filesystems", "/proc/stat",
            "/sys/devices/system", "/dev/urandom", "/dev/random",
        ]
        // Firmware is where programs are.
        var boot: [FilePath] = []
        if case .kernel(let kernel, let initrd, _) = plan.start { boot = [kernel] + [initrd].compactMap(\.self) }
        let (fixed, changing) = (plan.extraDisks.filter(\.isReadOnly), plan.extraDisks.filter { !$0.isReadOnly })
        readable = host + (plan.disks.flatMap(\.backing) + fixed).map { place($0.path) } + boot
        writable = [plan.folder.run, "/dev/null"] + (plan.disks.map(\.top) + changing).map { place($0.path) }
    }

    /// Limits the calling thread, for ever, and the programs that it starts.
    /// - Returns: What this kernel does not have.
    func apply() throws(SystemError) -> [String] {
        let limitsFiles = try FileAccessLimit.apply(
            readable: readable, writable: writable, executable: executable, allowsTCP: false)
        let limitsCalls = try SystemCallFilter(refusing: Self.refused, conditions: Self.conditions)
            .apply(toAllThreads: false)
        return ProcessConfinement.Outcome(limitsFiles: limitsFiles, limitsCalls: limitsCalls).missingLimits
    }

    /// Ways to other processes and to services of the host, which QEMU's own filter leaves open: its connections are
    /// inherited. And what Landlock does not look at: modes, owners, times and attributes of files, by their names or
    /// where they may only be read.
    private static let refused: [Int] =
        [
            SYS_connect, SYS_ptrace, SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
            SYS_pidfd_open, SYS_pidfd_send_signal, SYS_pidfd_getfd, SYS_process_vm_readv, SYS_process_vm_writev,
            SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
            SYS_io_uring_setup, SYS_io_uring_register, SYS_io_uring_enter, SYS_keyctl, SYS_add_key, SYS_request_key,
            SYS_shmget, SYS_shmat, SYS_shmctl, SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_semget, SYS_semop,
            SYS_semtimedop, SYS_semctl, SYS_mq_open, SYS_mq_unlink, SYS_ioprio_set, SYS_sched_setattr, SYS_execveat,
            SYS_truncate, SYS_creat, SYS_openat2, SYS_chmod, SYS_fchmod, SYS_fchmodat, SYS_chown, SYS_lchown,
            SYS_fchown,
            SYS_fchownat, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr,
            SYS_fremovexattr, SYS_utime, SYS_utimes, SYS_futimesat, SYS_utimensat,
        ].map { Int($0) } + [
            452, 463, 466,  // fchmodat2, setxattrat, removexattrat
        ]

    private static let conditions: [Int: ArgumentCondition] = {
        let files: [Int32] = [F_GETLK, F_SETLK, F_SETLKW, Int32(linux_ofd_wait_lock)]
        let kinds = [linux_set_pipe_size, linux_get_pipe_size, linux_add_seals, linux_get_lifetime_hint].map {
            Int32($0)
        }
        return [
            Int(SYS_socket): .isOneOf(0, [UInt32(AF_UNIX)]), Int(SYS_socketpair): .isOneOf(0, [UInt32(AF_UNIX)]),
            Int(SYS_prlimit64): .isOneOf(0, [0]),
            Int(SYS_fcntl): .isOneOf(1, (SystemCallFilter.ownFileCommands + files + kinds).map { UInt32($0) }),
            // Signals to others.
            Int(SYS_ioctl): .isNoneOf(1, [FIOASYNC, FIOSETOWN, SIOCSPGRP].map { UInt32($0) }),
            Int(SYS_open): .lacks(1, UInt32(O_TRUNC)), Int(SYS_openat): .lacks(2, UInt32(O_TRUNC)),
        ]
    }()
}
