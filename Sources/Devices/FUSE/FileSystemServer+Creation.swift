import CLinux
import Glibc
import SystemPackage

// New names. The mode is the guest's, without the bits that give a program its owner's rights on the host.

extension FileSystemServer {
    /// The bits of a mode that are kept: permissions and the sticky bit.
    static let modeBits: UInt32 = 0o1777
    static let setIDBits: UInt32 = 0o6000
    static let setGroupBit: UInt32 = 0o2000

    /// MKNOD: files, pipes and sockets. A device would be the host's.
    func makeNode(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let mode = try request.take(UInt32.self)
        try request.skip(12)
        let name = try request.name()
        try reply.require(Self.entryByteCount)
        try requireUsable(name)
        let kind = mode & FileKind.mask
        // 0 means a regular file (mknod(2)).
        guard [0, 0o100000, 0o010000, 0o140000].contains(kind) else { throw .notPermitted }
        let folder = try folder(request.header.node)
        try HostCall.call(Int(SYS_mknodat), folder, name, UInt(kind | mode & Self.modeBits))
        try appendMade(name, in: folder, mode, &request, &reply)
    }

    /// MKDIR.
    func makeFolder(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let mode = try request.take(UInt32.self)
        try request.skip(4)
        let name = try request.name()
        try reply.require(Self.entryByteCount)
        try requireUsable(name)
        let folder = try folder(request.header.node)
        try HostCall.call(Int(SYS_mkdirat), folder, name, UInt(mode & Self.modeBits))
        try appendMade(name, in: folder, mode, &request, &reply)
    }

    /// SYMLINK. What the link says is the guest's affair: only the guest follows it.
    func makeLink(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let name = try request.name()
        let target = try request.linkTarget()
        try reply.require(Self.entryByteCount)
        try requireUsable(name)
        let folder = try folder(request.header.node)
        try name.withAddress { address throws(Errno) in
            _ = try HostCall.checked {
                unsafe target.withUnsafeBufferPointer { target in
                    folder.use {
                        linux_syscall(Int(SYS_symlinkat), UInt(bitPattern: target.baseAddress), $0, address, 0, 0)
                    }
                }
            }
        }
        try appendEntry(name, in: request.header.node, &reply)
    }

    /// LINK: another name for a file.
    func linkFile(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let node = try request.take(UInt64.self)
        let name = try request.name()
        try reply.require(Self.entryByteCount)
        try requireUsable(name)
        let place = try nodes.place(of: node)
        let file = try file(place)
        let folder = try folder(request.header.node)
        do throws(Errno) {
            // A file that was made without a name (O_TMPFILE) can be linked for ever, also when its last name is gone.
            let names = try HostStatus(of: file).linkCount
            guard place.isOpen || names > 0 else { throw .noSuchFileOrDirectory }
            try link(file, as: name, in: folder)
        } catch .noSuchFileOrDirectory {
            try linkSuccessor(of: place, file, as: name, in: folder)
        }
        try appendEntry(name, in: request.header.node, &reply)
    }

    private func link(_ file: HostFile, as name: FileName, in folder: HostFile) throws(Errno) {
        try name.withAddress { address throws(Errno) in
            _ = try HostCall.checked {
                processFolder.withName(of: file) { numbers, number in
                    folder.use {
                        linux_syscall(Int(SYS_linkat), numbers, number, $0, address, UInt(AT_SYMLINK_FOLLOW))
                    }
                }
            }
        }
    }

    /// Links the file that the host's user put in place of one which so lost its last name: the guest named it by its
    /// name, which always was there. A file that the guest has open is not meant by a name.
    /// - Throws: `ENOENT` if it is not so.
    private func linkSuccessor(
        of place: NodeTable.Place, _ file: HostFile, as name: FileName, in folder: HostFile
    ) throws(Errno) {
        guard place.parent != 0, !place.isOpen, try HostStatus(of: file).linkCount == 0 else {
            throw .noSuchFileOrDirectory
        }
        let parent = try self.folder(place.parent)
        // It may be replaced again meanwhile.
        for _ in 0..<16 {
            let successor = try bound.open(.request) { () throws(Errno) in
                try HostCall.openPath(place.name, in: parent)
            }
            let status = try HostStatus(of: successor)
            guard status.kind == place.identity.kind else { throw .noSuchFileOrDirectory }
            try require(successor, identity(status))
            do throws(Errno) { return try link(successor, as: name, in: folder) } catch {
                guard error == .noSuchFileOrDirectory else { throw error }
            }
        }
        throw .noSuchFileOrDirectory
    }

    private func appendMade(
        _ name: FileName, in folder: HostFile, _ mode: UInt32, _ request: inout Request, _ reply: inout Reply
    ) throws(Errno) {
        var status = try HostStatus(of: name, in: folder)
        if creationMask.explains(status.mode, mode) {
            let file = try bound.open(.request) { () throws(Errno) in
                try HostCall.openPath(name, in: folder)
            }
            status = try statusWithMode(of: file, mode)
        }
        try appendEntry(status, name, in: request.header.node, &reply)
    }

    /// Gives a new file the bits that the process's mask took.
    func statusWithMode(of file: HostFile, _ mode: UInt32) throws(Errno) -> HostStatus {
        let made = try HostStatus(of: file)
        guard made.kind != .link, creationMask.explains(made.mode, mode) else { return made }
        try changeMode(of: file, to: mode & Self.modeBits | made.mode & Self.setIDBits)
        return try HostStatus(of: file)
    }

    func changeMode(of file: HostFile, to mode: UInt32) throws(Errno) {
        _ = try HostCall.checked {
            processFolder.withName(of: file) { linux_syscall(Int(SYS_fchmodat), $0, $1, UInt(mode), 0, 0) }
        }
    }
}
