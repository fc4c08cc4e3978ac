import CLinux
import Glibc
import LinuxSystem
public import SystemPackage

extension Doors {
    /// Tries them all in a thread's place.
    /// - Parameter other: A process that the thread is to have nothing to do with.
    /// - Returns: Those that are open.
    public func openDoors(to caller: some SystemCaller, besides other: CInt) throws -> [String] {
        var open: [String] = []
        func attempt(_ door: String, _ succeeds: () throws -> Bool) rethrows { if try succeeds() { open.append(door) } }
        for file in protected {
            try attempt("write \(file)") { try caller.opens(file, O_WRONLY) }
            try attempt("make beside \(file)") { try caller.opens(FilePath("\(file).new"), O_WRONLY | O_CREAT) }
            try attempt("replace \(file)") { try caller.renames(file, to: FilePath("\(file).moved")) }
        }
        for file in secret { try attempt("read \(file)") { try caller.opens(file, O_RDONLY) } }
        try attempt("connect") { try caller.connects(to: listener) }
        let process = Int(other)
        // Where an answer goes that is of no interest.
        let answer = CallArgument.bytes([UInt8](repeating: 0, count: 16))
        let attempts: [(String, CInt, [CallArgument])] = [
            ("tgkill", SYS_tgkill, [.number(process), .number(process), 0]),
            ("kill", SYS_kill, [.number(process), 0]), ("ptrace", SYS_ptrace, [16, .number(process), 0, 0]),
            ("pidfd_open", 434, [.number(process), 0]),
            ("prlimit64", SYS_prlimit64, [.number(process), 7, 0, answer]),
            ("fcntl F_SETOWN", SYS_fcntl, [2, 8, .number(process)]),
            (
                "ioctl FIOSETOWN", SYS_ioctl,
                [2, 0x8901, .bytes(withUnsafeBytes(of: other, Array.init))]
            ),
            ("shmget", SYS_shmget, [0, 4096, 0o1600]),
        ]
        for (door, number, arguments) in attempts { try attempt(door) { try caller.call(number, arguments) >= 0 } }
        if !usesInternet { try attempt("UDP") { try caller.call(SYS_socket, [.number(Int(AF_INET)), 2, 0]) >= 0 } }
        if !servesFiles { for file in protected { open += try changes(file, caller) } }
        guard !startsPrograms else { return open }
        // A process, a thread in a namespace of its own: what the kernel itself refuses in another way, for a flag that
        // is missing.
        for flags in [0x811, 0x1001_0000] {
            try attempt("clone \(flags)") { try caller.call(SYS_clone, [.number(flags)]) != -Int(ENOSYS) }
        }
        // Without arguments, which a kernel that allows it takes for a fault of the caller's.
        try attempt("execve") { try caller.call(SYS_execve, [.path("/bin/true"), 1, 0]) == -Int(EFAULT) }
        return open
    }

    /// What can be changed of a file by its name alone, without opening it.
    private func changes(_ file: FilePath, _ caller: some SystemCaller) throws -> [String] {
        let calls: [(String, CInt, [CallArgument])] = [
            ("chmod", SYS_chmod, [0o777]), ("truncate", SYS_truncate, [0]), ("utime", SYS_utime, [0]),
            ("chown", SYS_chown, [.number(Int(getuid())), .number(Int(getgid()))]),
        ]
        return try calls.filter { try caller.call($0.1, [.path(file)] + $0.2) == 0 }.map { "\($0.0) \(file)" }
    }
}

extension SystemCaller {
    /// By each of the calls that open files.
    public func opens(_ file: FilePath, _ flags: CInt) throws -> Bool {
        let flags = Int(flags | O_CLOEXEC)
        let mode = flags & Int(O_CREAT) == 0 ? 0 : 0o600
        // struct open_how, whose last word is about how names are looked up.
        let words: [UInt64] = [UInt64(flags), UInt64(mode), 0]
        let how: [UInt8] = words.flatMap { word in withUnsafeBytes(of: word, Array.init) }
        let calls: [(CInt, [CallArgument])] = [
            (SYS_open, [.path(file), .number(flags), .number(mode)]),
            (SYS_openat, [.number(Int(AT_FDCWD)), .path(file), .number(flags), .number(mode)]),
            (437, [.number(Int(AT_FDCWD)), .path(file), .bytes(how), 24]),
        ]
        for (number, arguments) in calls {
            let descriptor = try call(number, arguments)
            guard descriptor >= 0 else { continue }
            _ = try call(SYS_close, [.number(descriptor)])
            return true
        }
        return false
    }

    /// By each of the calls that rename files.
    func renames(_ file: FilePath, to other: FilePath) throws -> Bool {
        let here = CallArgument.number(Int(AT_FDCWD))
        return try call(SYS_rename, [.path(file), .path(other)]) == 0
            || call(SYS_renameat, [here, .path(file), here, .path(other)]) == 0
            || call(SYS_renameat2, [here, .path(file), here, .path(other), 0]) == 0
    }

    public func processIdentifier() throws -> CInt { CInt(try call(SYS_getpid, [])) }

    /// To a stream socket in the file system.
    func connects(to path: FilePath) throws -> Bool {
        let descriptor = try call(SYS_socket, [.number(Int(AF_UNIX)), 1, 0])
        guard descriptor >= 0 else { return false }
        var address = withUnsafeBytes(of: UInt16(AF_UNIX), Array.init) + Array(path.string.utf8)
        address += [UInt8](repeating: 0, count: 110 - address.count)
        let isConnected = try call(SYS_connect, [.number(descriptor), .bytes(address), 110]) == 0
        _ = try call(SYS_close, [.number(descriptor)])
        return isConnected
    }
}
