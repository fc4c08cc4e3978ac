public import LinuxSystem
public import Reporting
public import SystemPackage

/// Why a guest cannot be started from what it was given.
public enum BootError: UserFacingError, Equatable {
    /// The file is neither a Linux bzImage nor a 64-bit x86 ELF executable.
    case notAKernel(FilePath)
    /// A kernel that cannot be started this way.
    case unsupportedKernel(FilePath, reason: String)
    /// The file contradicts itself or ends too early.
    case damagedKernel(FilePath, reason: String)
    /// A firmware image of a size that none has, in bytes.
    case notFirmware(FilePath, size: UInt64)
    /// The guest's memory cannot hold kernel and initial RAM disk; both in bytes.
    case notEnoughMemory(needed: UInt64, available: UInt64)
    /// Both in bytes.
    case commandLineTooLong(count: Int, limit: Int)
    case system(SystemError)

    public var summary: String {
        switch self {
        case .notAKernel(let path): "\(path) is not a Linux kernel for x86-64"
        case .unsupportedKernel(let path, let reason): "the kernel \(path) cannot be started directly: \(reason)"
        case .damagedKernel(let path, let reason): "the kernel \(path) is damaged: \(reason)"
        case .notFirmware(let path, let size):
            "\(path) is not a firmware image: it has \(size) bytes, not a multiple of 64 KiB up to 16 MiB"
        case .notEnoughMemory(let needed, let available):
            "the guest has \(ByteCount(available)) of memory; its kernel and initial RAM disk need \(ByteCount(needed))"
        case .commandLineTooLong(let count, let limit):
            "the kernel command line has \(count) bytes; this kernel takes \(limit)"
        case .system(let error): error.summary
        }
    }

    public var remedy: String? {
        switch self {
        case .notAKernel, .damagedKernel: "Add the box again: wander box add --force FILE"
        case .unsupportedKernel: nil
        case .notFirmware: "Install the firmware's package again."
        case .notEnoughMemory: "Give the machine more memory."
        case .commandLineTooLong: "Shorten the kernel options."
        case .system(let error): error.remedy
        }
    }

    public var kind: ErrorKind { if case .system(let error) = self { error.kind } else { .invalidConfiguration } }
}

/// Passes a failed system call on.
func system<Result: ~Copyable>(_ body: () throws(SystemError) -> Result) throws(BootError) -> Result {
    do { return try body() } catch { throw .system(error) }
}
