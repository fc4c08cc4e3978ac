import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// `/proc/self/fd`, through which a descriptor that only names a file becomes one to read or write, without a second
/// look at any name.
struct ProcessFolder: ~Copyable, Sendable {
    private let folder: OwnedDescriptor

    init() throws(SystemError) {
        folder = try OwnedDescriptor.open(
            "/proc/self/fd", OwnedDescriptor.OpenFlags(rawValue: HostCall.pathOnly | O_DIRECTORY))
    }

    /// Calls `body` with this folder's descriptor and with the name that the very file which `file` names has in it.
    func withName<R>(of file: HostFile, _ body: (_ folder: UInt, _ name: UInt) -> R) -> R {
        file.use { number in
            // SAFETY: a number, used by system calls that `body` makes while the array lives.
            unsafe Self.digits(number).withUnsafeBufferPointer {
                body(UInt(bitPattern: Int(folder.rawValue)), UInt(bitPattern: $0.baseAddress))
            }
        }
    }

    /// As ``withName(of:_:)``, for calls that take only whole paths.
    func withPath<R>(of file: HostFile, _ body: (UInt) -> R) -> R {
        file.use { number in
            // SAFETY: as above.
            unsafe (Array("/proc/self/fd/".utf8) + Self.digits(number)).withUnsafeBufferPointer {
                body(UInt(bitPattern: $0.baseAddress))
            }
        }
    }

    /// Opens the very file that `file` names.
    /// - Parameter flags: The caller has made sure that opening it neither waits nor has an effect.
    func reopen(_ file: HostFile, flags: CInt, mode: UInt32 = 0) throws(Errno) -> CInt {
        let result = try HostCall.checked {
            withName(of: file) { folder, name in
                linux_syscall(
                    Int(SYS_openat), folder, name, UInt(UInt32(bitPattern: flags | O_CLOEXEC | O_NOCTTY)), UInt(mode), 0
                )
            }
        }
        return CInt(truncatingIfNeeded: result)
    }

    /// A decimal number and a NUL.
    private static func digits(_ number: UInt) -> [UInt8] { Array(String(number).utf8) + [0] }
}
