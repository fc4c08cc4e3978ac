import CLinux
import Glibc
import SystemPackage

extension FileSystemServer {
    /// READLINK.
    func readLink(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let place = try nodes.place(of: request.header.node)
        guard place.identity.kind == .link else { throw .invalidArgument }
        let file = try file(place)
        unsafe try reply.fill(4096) { buffer throws(Errno) in
            try FileName.none.withAddress { empty throws(Errno) in
                try HostCall.checked {
                    file.use {
                        linux_syscall(
                            Int(SYS_readlinkat), $0, empty, UInt(bitPattern: buffer.baseAddress), UInt(buffer.count),
                            0)
                    }
                }
            }
        }
    }

    /// ACCESS. A guest that mounts as Linux does compares modes itself and never asks.
    func checkAccess(_ request: inout Request) throws(Errno) {
        let mask = try request.take(UInt32.self)
        guard mask <= 7 else { throw .invalidArgument }
        guard mask & UInt32(W_OK) == 0 || !options.isReadOnly else { throw .readOnlyFileSystem }
        let file = try file(request.header.node)
        // Through a symbolic link's descriptor, faccessat(2) would see the link's target.
        guard try HostStatus(of: file).kind != .link else { return }
        _ = try HostCall.checked {
            processFolder.withName(of: file) { linux_syscall(Int(SYS_faccessat), $0, $1, UInt(mask), 0, 0) }
        }
    }

    /// STATFS.
    func fileSystemStatus(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        try reply.require(80)
        let status = try FileSystemStatus(of: file(request.header.node))
        reply.append(status.blockCount)
        reply.append(status.freeBlocks)
        reply.append(status.availableBlocks)
        reply.append(status.fileCount)
        reply.append(status.freeFiles)
        reply.append(UInt32(clamping: status.blockSize))
        reply.append(UInt32(clamping: min(status.nameLimit, 255)))
        reply.append(UInt32(clamping: status.fragmentSize == 0 ? status.blockSize : status.fragmentSize))
        reply.appendZeroes(28)
    }

    /// SYNCFS: of the file system that the shared folder is on.
    func synchronizeFileSystem() throws(Errno) {
        guard !options.isReadOnly else { return }
        let folder = try folder(NodeTable.root)
        let opened = try bound.open(.request) { () throws(Errno) in
            try processFolder.reopen(folder, flags: O_RDONLY | O_DIRECTORY)
        }
        try HostCall.call(Int(SYS_syncfs), opened)
    }

    private static let extendedStatusByteCount = 288

    /// STATX: the attributes and, where the file system knows it, the file's birth (linux/fuse.h, `struct
    /// fuse_statx_out`).
    func getExtendedStatus(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        try reply.require(Self.extendedStatusByteCount)
        let status = try status(request.header.node)
        let owner = owners.owner(of: status)
        reply.append(Self.validity)
        reply.appendZeroes(24)
        // STATX_BASIC_STATS and STATX_BTIME.
        reply.append(status.mask & 0xfff)
        reply.append(status.blockSize)
        reply.append(0 as UInt64)
        reply.append(status.linkCount)
        reply.append(owner.user)
        reply.append(owner.group)
        reply.append(UInt16(truncatingIfNeeded: status.mode))
        reply.append(0 as UInt16)
        reply.append(inodeNumbers.number(of: status.inode, on: status.device))
        reply.append(status.size)
        reply.append(status.blockCount)
        reply.append(0 as UInt64)
        for time in [status.accessed, status.born, status.changed, status.modified] {
            reply.append(time.seconds)
            reply.append(time.nanoseconds)
            reply.append(0 as UInt32)
        }
        // Device numbers, of what it is and of where it is, and what is reserved.
        reply.appendZeroes(128)
    }
}
