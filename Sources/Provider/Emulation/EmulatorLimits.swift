import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// What QEMU may still do: its own developers do not count the translator as a boundary that holds a hostile guest. It has its
/// machine's disks, the folder of its sockets and logs, and programs' files to read.
struct EmulatorLimits: Sendable {
    /// QEMU's own filter: no other programs, no privileges, nothing of the host's scheduling.
    static let sandbox = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

    private let readable: [FilePath]
    private let writable: [FilePath]
    private let executable: [FilePath]

    /// - Parameter program: The emulator.
    init(_ plan: BootPlan, program: FilePath) {
        func place(_ path: FilePath) -> FilePath { plan.folder.path.pushing(path) }
        let folder = (try? FileSystem.resolve(program))?.removingLastComponent() ?? program.removingLastComponent()
        let prefix = folder.removingLastComponent()
        // Firmware and device ROMs, and modules, of one that is not the system's.
        let parts = ["share/qemu", "lib", "lib64", "libexec"].map { prefix.pushing(FilePath($0)) }
        executable = ["/usr", "/bin", "/lib", "/lib64", folder] + (prefix == "/" ? [] : parts)
        // What the C library and QEMU ask about the host.
        let host: [FilePath] = ["/etc", "/proc", "/sys/devices/system", "/dev/urandom", "/dev/random"]
        readable = host + plan.backing.map { place($0.path) } + [plan.kernel, plan.initrd].compactMap { $0 }
        writable = [plan.folder.run, place(plan.disk.path), "/dev/null"] + plan.extraDisks.map { place($0.path) }
    }

    /// Limits the calling thread, for ever, and the programs that it starts.
    /// - Returns: What this kernel does not have.
    func apply() throws(SystemError) -> [String] {
        var missing: [String] = []
        let files = try FileAccessLimit.apply(
            readable: readable, writable: writable, executable: executable, allowsTCP: false)
        if !files { missing.append("files (Landlock)") }
        if !(try SystemCallFilter(refusing: Self.refused).apply(toAllThreads: false)) {
            missing.append("system calls (seccomp)")
        }
        return missing
    }

    /// Ways to other processes and to services of the host, which QEMU's own filter leaves open. Its connections are inherited.
    private static let refused = [
        SYS_connect, SYS_ptrace, SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
        SYS_pidfd_open, SYS_pidfd_send_signal, SYS_pidfd_getfd, SYS_process_vm_readv, SYS_process_vm_writev,
        SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
        SYS_io_uring_setup, SYS_io_uring_register, SYS_io_uring_enter, SYS_keyctl, SYS_add_key, SYS_request_key,
    ].map { Int($0) }
}
