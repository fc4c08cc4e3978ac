internal import Glibc
internal import LinuxSystem
internal import SystemPackage

/// Identifies one state of one file among all files and states on this host.
struct FileRevision: Equatable, CustomStringConvertible {
    let description: String
    let size: UInt64

    init(_ descriptor: borrowing OwnedDescriptor) throws(SystemError) {
        var status = stat()
        guard unsafe fstat(descriptor.rawValue, &status) == 0 else {
            throw SystemError("look at a kernel", nil, Errno(rawValue: errno))
        }
        size = UInt64(clamping: status.st_size)
        let parts: [UInt64] = [
            UInt64(status.st_dev), UInt64(status.st_ino), size, UInt64(bitPattern: Int64(status.st_mtim.tv_sec)),
            UInt64(status.st_mtim.tv_nsec), UInt64(bitPattern: Int64(status.st_ctim.tv_sec)),
            UInt64(status.st_ctim.tv_nsec),
        ]
        description = parts.map { String($0, radix: 36) }.joined(separator: "-")
    }
}
