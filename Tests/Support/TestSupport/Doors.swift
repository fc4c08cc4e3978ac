import CLinux
import Glibc
import LinuxSystem
public import SystemPackage

/// What somebody tries who has taken a confined process over: every way out of it that the confinement is to close.
public struct Doors: Sendable {
    /// Files that the process must not be able to write to, nor to replace.
    public var protected: [FilePath] = []
    /// Files that it must not be able to read.
    public var secret: [FilePath] = []
    /// A stream socket that somebody listens at.
    public var listener: FilePath
    /// Whether programs may be started and processes made, which another filter forbids later.
    public var startsPrograms = false

    /// Whether the Internet's sockets are the process's own to make.
    public var usesInternet = false
    /// Whether it serves files, whose modes and attributes are set by calls that no rule binds to a folder.
    public var servesFiles = false

    public init(listener: FilePath) { self.listener = listener }

    /// Tries them in a copy of this process that has gone through `confine`. For a process that has nothing else to do:
    /// the other threads of a busy one may hold locks that nobody lets go of in the copy
    /// (`#expect(processExitsWith:)`).
    /// - Returns: What went wrong: doors that are open, or a confinement that failed.
    public func open(after confine: () throws -> Void) throws -> [String] {
        let pipe = try OwnedDescriptor.pipe()
        let other = getpid()
        let copy = linux_fork()
        guard copy >= 0 else { return ["fork failed"] }
        if copy == 0 {
            do {
                try confine()
                for door in try openDoors(other) { try pipe.write.writeAll(door + "\n") }
                try pipe.write.writeAll("all were tried\n")
            } catch { try? pipe.write.writeAll("not confined: \(error)\n") }
            _exit(0)
        }
        let reader = pipe.keepRead()
        var lines = String(decoding: try reader.readAll(limit: 1 << 16), as: UTF8.self).split(separator: "\n")
        var status: CInt = 0
        waitpid(pid_t(copy), &status, 0)
        guard lines.popLast() == "all were tried" else {
            return lines.map(String.init) + ["the copy did not get to its end"]
        }
        return lines.map(String.init)
    }

    private func openDoors(_ other: pid_t) throws -> [String] {
        var open: [String] = []
        func attempt(_ door: String, _ succeeds: () -> Bool) { if succeeds() { open.append(door) } }
        for file in protected {
            attempt("write \(file)") { (try? OwnedDescriptor.open(file, .writeOnly)) != nil }
            attempt("make beside \(file)") {
                (try? OwnedDescriptor.open(FilePath("\(file).new"), [.writeOnly, .create])) != nil
            }
            attempt("replace \(file)") { (try? FileSystem.rename(file, to: FilePath("\(file).moved"))) != nil }
        }
        for file in secret { attempt("read \(file)") { (try? OwnedDescriptor.open(file, .readOnly)) != nil } }
        attempt("connect") { (try? UnixSocket.connect(to: listener)) != nil }
        let process = UInt(other)
        attempt("tgkill") { linux_syscall(Int(SYS_tgkill), process, process, 0, 0, 0) == 0 }
        attempt("kill") { linux_syscall(Int(SYS_kill), process, 0, 0, 0, 0) == 0 }
        attempt("ptrace") { linux_syscall(Int(SYS_ptrace), 16, process, 0, 0, 0) == 0 }
        attempt("pidfd_open") { linux_syscall(434, process, 0, 0, 0, 0) >= 0 }
        attempt("prlimit64") {
            var limit = rlimit()
            return withUnsafeMutablePointer(to: &limit) {
                linux_syscall(Int(SYS_prlimit64), process, 7, 0, UInt(bitPattern: $0), 0) == 0
            }
        }
        attempt("fcntl F_SETOWN") { linux_syscall(Int(SYS_fcntl), 2, 8, process, 0, 0) == 0 }
        attempt("ioctl FIOSETOWN") {
            var number = other
            return withUnsafeMutablePointer(to: &number) {
                linux_syscall(Int(SYS_ioctl), 2, 0x8901, UInt(bitPattern: $0), 0, 0) == 0
            }
        }
        attempt("shmget") { linux_syscall(Int(SYS_shmget), 0, 4096, 0o1600, 0, 0) >= 0 }
        if !usesInternet { attempt("UDP") { linux_syscall(Int(SYS_socket), UInt(AF_INET), 2, 0, 0, 0) >= 0 } }
        if !servesFiles { for file in protected { open += changes(file) } }
        guard !startsPrograms else { return open }
        // SIGCHLD; with CLONE_NEWUSER.
        for flags in [17, 0x1000_0011] as [UInt] {
            attempt("clone \(flags)") {
                let copy = linux_syscall(Int(SYS_clone), flags, 0, 0, 0, 0)
                if copy == 0 { _exit(0) }
                return copy > 0
            }
        }
        // Without arguments, which a kernel that allows it takes for a fault of the caller's.
        attempt("execve") {
            FilePath("/bin/true").withPlatformString {
                linux_syscall(Int(SYS_execve), UInt(bitPattern: $0), 1, 0, 0, 0) == -Int(EFAULT)
            }
        }
        return open
    }

    /// What can be changed of a file by its name alone, without opening it.
    private func changes(_ file: FilePath) -> [String] {
        file.withPlatformString { path in
            let path = UInt(bitPattern: path)
            let calls: [(String, Int, UInt, UInt)] = [
                ("chmod", Int(SYS_chmod), 0o777, 0), ("truncate", Int(SYS_truncate), 0, 0),
                ("utime", Int(SYS_utime), 0, 0), ("chown", Int(SYS_chown), UInt(getuid()), UInt(getgid())),
            ]
            return calls.filter { linux_syscall($0.1, path, $0.2, $0.3, 0, 0) == 0 }.map { "\($0.0) \(file)" }
        }
    }
}
