import CLinux
import Glibc
import SystemPackage

/// The system calls that the server makes. Each takes the descriptor of a folder and one name in it, or the descriptor
/// of the file itself; none takes a path that a guest has any part in.
enum HostCall {
    /// Makes a call that returns `-errno`, again if a signal interrupts it.
    ///
    /// A call that this kernel or the process's filter lacks fails with `ENOTSUP`: from `ENOSYS` a guest would conclude
    /// that the server never serves the request.
    @inline(__always)
    static func checked(_ call: () -> Int) throws(Errno) -> Int {
        while true {
            let result = call()
            if result >= 0 { return result }
            switch CInt(truncatingIfNeeded: -result) {
            case EINTR: continue
            case ENOSYS: throw .notSupported
            case let code: throw Errno(rawValue: code)
            }
        }
    }

    static let pathOnly = CInt(linux_open_path)
    // linux/openat2.h and linux/fcntl.h
    private static let resolveBeneath: UInt64 = 0x08
    private static let noSymbolicLinks: UInt64 = 0x04
    private static let noMagicLinks: UInt64 = 0x02
    static let emptyPath: UInt = 0x1000
    static let doNotFollow: UInt = 0x100

    /// openat2(2): never follows a link, never leaves `folder`.
    static func open(_ name: FileName, in folder: HostFile, flags: CInt, mode: UInt32 = 0) throws(Errno) -> CInt {
        var how: (UInt64, UInt64, UInt64) = (
            UInt64(UInt32(bitPattern: flags | O_NOFOLLOW | O_CLOEXEC)), UInt64(mode),
            resolveBeneath | noSymbolicLinks | noMagicLinks
        )
        let result = try name.withAddress { name throws(Errno) in
            try checked {
                unsafe withUnsafeMutablePointer(to: &how) { how in
                    folder.use { linux_syscall(Int(SYS_openat2), $0, name, UInt(bitPattern: how), 24, 0) }
                }
            }
        }
        return CInt(truncatingIfNeeded: result)
    }

    /// A descriptor that only names what is there, without opening it: safe for pipes, sockets and devices.
    static func openPath(_ name: FileName, in folder: HostFile) throws(Errno) -> CInt {
        try open(name, in: folder, flags: pathOnly)
    }

    /// A call with a folder and a name in it.
    static func call(
        _ number: Int, _ folder: HostFile, _ name: FileName, _ a: UInt = 0, _ b: UInt = 0, _ c: UInt = 0
    ) throws(Errno) {
        _ = try name.withAddress { name throws(Errno) in
            try checked { folder.use { linux_syscall(number, $0, name, a, b, c) } }
        }
    }

    /// A call with a descriptor.
    @discardableResult
    static func call(
        _ number: Int, _ file: HostFile, _ a: UInt = 0, _ b: UInt = 0, _ c: UInt = 0
    ) throws(Errno) -> Int {
        try checked { file.use { linux_syscall(number, $0, a, b, c, 0) } }
    }
}
