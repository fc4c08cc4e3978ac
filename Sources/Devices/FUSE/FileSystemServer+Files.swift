import CLinux
import Glibc
import SystemPackage

extension FileSystemServer {
    // linux/fuse.h, FOPEN_*
    private static let keepCache: UInt32 = 1 << 1
    private static let doNotFlush: UInt32 = 1 << 5
    static let openedByteCount = 16

    /// What of a guest's open flags is the host's affair. Appending and synchronous writing are told with each write.
    private struct Access {
        let flags: CInt
        var isReadable: Bool { flags & O_ACCMODE != O_WRONLY }
        var isWritable: Bool { flags & O_ACCMODE != O_RDONLY }
        var changesFile: Bool { isWritable || flags & O_TRUNC != 0 }

        init(_ flags: UInt32) throws(Errno) {
            let kept = CInt(truncatingIfNeeded: flags) & (O_ACCMODE | O_TRUNC)
            guard kept & O_ACCMODE != O_ACCMODE else { throw .invalidArgument }
            self.flags = kept
        }
    }

    /// OPEN: of a regular file, and of nothing else.
    func open(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let access = try Access(request.take())
        try reply.require(Self.openedByteCount)
        try appendOpened(request.header.node, access, &reply)
    }

    private func appendOpened(_ node: UInt64, _ access: Access, _ reply: inout Reply) throws(Errno) {
        let place = try nodes.place(of: node)
        guard place.identity.kind == .regular else {
            throw place.identity.kind == .folder ? .isDirectory : .notPermitted
        }
        guard !access.changesFile || !options.isReadOnly else { throw .readOnlyFileSystem }
        let name = try file(place)
        if access.changesFile { try removePrivileges(of: name) }
        // A regular file, as `name` is what `place` told of: opening it neither waits nor has an effect.
        let file = try openDescriptor(for: .kept) { () throws(Errno) in
            try processFolder.reopen(name, flags: access.flags)
        }
        let keepsCache = try isUnchanged(node, HostStatus(of: file))
        appendOpened(node, place.identity, file, access, &reply, keepsCache: keepsCache)
    }

    /// - Parameter file: What the guest has opened. It also names the node from now on: one descriptor for each open
    ///   file.
    private func appendOpened(
        _ node: UInt64, _ identity: FileIdentity, _ file: HostFile, _ access: Access, _ reply: inout Reply,
        keepsCache: Bool = false
    ) {
        let handle = Handle(
            node, identity, file, isReadable: access.isReadable, isWritable: access.isWritable)
        nodes.opened(node, file)
        reply.append(handles.insert(handle))
        let mayFail = access.isWritable && reportsWhenClosing
        reply.append((keepsCache ? Self.keepCache : 0) | (mayFail ? 0 : Self.doNotFlush))
        reply.append(0 as UInt32)
    }

    /// Whether what the guest has cached of the file since it last opened it still holds.
    private func isUnchanged(_ node: UInt64, _ status: HostStatus) -> Bool {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        // Two changes within a tick of the file system's clock look like one. The coarsest ticks last two seconds.
        let isSettled = status.changed.seconds < Int64(now.tv_sec) - 2
        let stamp = ContentStamp(status)
        return nodes.update(node) { node in
            defer { node.stamp = isSettled ? stamp : nil }
            return node.stamp == stamp
        } ?? false
    }

    /// For root alone, the host leaves a file its set-user-id bits when it is written: whoever runs it would run what
    /// the guest wrote.
    func removePrivileges(of file: HostFile) throws(Errno) {
        guard owners.isRoot else { return }
        let status = try HostStatus(of: file)
        guard status.kind == .regular, status.mode & Self.setIDBits != 0 else { return }
        try changeMode(of: file, to: status.mode & Self.modeBits)
    }

    /// CREATE: makes a regular file and opens it, or opens the one that is there.
    func create(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let flags = try request.take(UInt32.self)
        let mode = try request.take(UInt32.self)
        try request.skip(8)
        let name = try request.name()
        let access = try Access(flags)
        try reply.require(Self.entryByteCount + Self.openedByteCount)
        try requireUsable(name)
        let parent = request.header.node
        let folder = try folder(parent)
        let file: HostFile
        do throws(Errno) {
            file = try openDescriptor(for: .kept) { () throws(Errno) in
                // With O_EXCL nothing that is there is opened, whatever it is.
                try HostCall.open(
                    name, in: folder, flags: access.flags & O_ACCMODE | O_CREAT | O_EXCL,
                    mode: mode & Self.modeBits)
            }
        } catch .fileExists where flags & UInt32(O_EXCL) == 0 {
            let status = try HostStatus(of: name, in: folder)
            // The guest thought that there was nothing. It looks again, and deals with links, pipes and folders itself.
            guard status.kind == .regular else { throw .staleNFSFileHandle }
            let node = try nodes.found(identity(status), as: name, in: parent)
            appendEntry(node, status, &reply)
            do throws(Errno) { try appendOpened(node, access, &reply) } catch {
                nodes.forget(node, 1)
                throw error
            }
            return
        }
        let status = try statusWithMode(of: file, mode)
        let node = try nodes.found(identity(status), as: name, in: parent)
        appendEntry(node, status, &reply)
        appendOpened(node, identity(status), file, access, &reply)
    }

    /// TMPFILE: a file without a name, which LINK may give it.
    func makeTemporaryFile(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let flags = try request.take(UInt32.self)
        let mode = try request.take(UInt32.self)
        let access = try Access(flags)
        try reply.require(Self.entryByteCount + Self.openedByteCount)
        let folder = try folder(request.header.node)
        // O_TMPFILE
        let made = access.flags & O_ACCMODE | 0o20000000 | O_DIRECTORY | CInt(flags & UInt32(O_EXCL))
        let file = try openDescriptor(for: .kept) { () throws(Errno) in
            try processFolder.reopen(folder, flags: made, mode: mode & Self.modeBits)
        }
        let status = try statusWithMode(of: file, mode)
        let node = try nodes.add(identity(status), file)
        appendEntry(node, status, &reply)
        appendOpened(node, identity(status), file, access, &reply)
    }

    /// RELEASE and RELEASEDIR.
    func release(_ request: inout Request, isFolder: Bool) throws(Errno) {
        let number = try request.take(UInt64.self)
        let handle = try handles.handle(number, of: request.header.node, isFolder: isFolder)
        guard handles.remove(number) else { return }
        if !isFolder { nodes.closed(handle.node, handle.file) }
    }

    /// FLUSH: a program closes the file. On some file systems only this tells that writing failed.
    func flush(_ request: inout Request) throws(Errno) {
        let handle = try handles.handle(request.take(), of: request.header.node)
        // With no descriptor left for this, fsync(2) still tells it.
        guard handle.isWritable, reportsWhenClosing, let copy = try? HostCall.call(Int(SYS_dup), handle.file) else {
            return
        }
        // Not again if a signal interrupts it: the descriptor is closed then, too.
        let result = linux_syscall(Int(SYS_close), UInt(copy), 0, 0, 0, 0)
        guard result >= 0 else { throw Errno(rawValue: CInt(truncatingIfNeeded: -result)) }
    }

    /// FSYNC and FSYNCDIR.
    func synchronize(_ request: inout Request, isFolder: Bool) throws(Errno) {
        let handle = try handles.handle(request.take(), of: request.header.node, isFolder: isFolder)
        let isDataOnly = try request.take(UInt32.self) & 1 != 0
        guard !options.isReadOnly else { return }
        try HostCall.call(Int(isDataOnly ? SYS_fdatasync : SYS_fsync), handle.file)
    }
}
