import CLinux
import Glibc
import SystemPackage

// Names that go, or go elsewhere. A file that the guest has open or stands in must outlive its name, so what is about
// to lose one that the guest knows it by is given a descriptor first.

extension FileSystemServer {
    /// UNLINK and RMDIR.
    func remove(_ request: inout Request, isFolder: Bool) throws(Errno) {
        let name = try request.name()
        try requireVisible(name)
        let parent = request.header.node
        let folder = try folder(parent)
        let victim = known(name, in: folder)
        try HostCall.call(Int(SYS_unlinkat), folder, name, isFolder ? UInt(AT_REMOVEDIR) : 0)
        if let victim { nodes.lostName(victim.node, name, in: parent, victim.file) }
    }

    // linux/fs.h
    private static let doNotReplace: UInt32 = 1 << 0
    private static let exchange: UInt32 = 1 << 1

    /// RENAME and RENAME2.
    func rename(_ request: inout Request, hasFlags: Bool) throws(Errno) {
        let newParent = try request.take(UInt64.self)
        let flags = hasFlags ? try request.take(UInt32.self) : 0
        if hasFlags { try request.skip(4) }
        let name = try request.name()
        let newName = try request.name()
        guard [0, Self.doNotReplace, Self.exchange].contains(flags) else { throw .invalidArgument }
        try requireVisible(name)
        try requireUsable(newName)
        let parent = request.header.node
        let folder = try folder(parent)
        let newFolder = try self.folder(newParent)
        let moved = known(name, in: folder, opens: false)
        let replaced = known(newName, in: newFolder, opens: flags == 0)
        try name.withAddress { from throws(Errno) in
            try newName.withAddress { to throws(Errno) in
                _ = try HostCall.checked {
                    folder.use { folder in
                        newFolder.use { linux_syscall(Int(SYS_renameat2), folder, from, $0, to, UInt(flags)) }
                    }
                }
            }
        }
        if let replaced {
            if flags == Self.exchange {
                nodes.moved(replaced.node, to: name, in: parent)
            } else {
                nodes.lostName(replaced.node, newName, in: newParent, replaced.file)
            }
        }
        if let moved { nodes.moved(moved.node, to: newName, in: newParent) }
    }

    /// The node of what is under `name`, if the guest knows one.
    /// - Parameter opens: Whether a descriptor of it is wanted. Without one left, the file is lost with its name.
    private func known(_ name: FileName, in folder: HostFile, opens: Bool = true) -> (node: UInt64, file: HostFile?)? {
        guard let status = try? HostStatus(of: name, in: folder),
            let node = nodes.number(of: identity(status))
        else { return nil }
        // A guest keeps what has other names, and finds it there again. With a descriptor for each such file, a tree of
        // hard links that is removed would take them all.
        guard opens, status.linkCount < 2 || status.kind == .folder || bound.count < bound.limit / 4 else {
            return (node, nil)
        }
        return (node, try? descriptor(of: node, under: name, in: folder, identity(status)))
    }

    private func descriptor(
        of node: UInt64, under name: FileName, in folder: HostFile, _ identity: FileIdentity
    ) throws(Errno) -> HostFile {
        if let file = try nodes.place(of: node).file { return file }
        let file = try openDescriptor(for: .kept) { () throws(Errno) in try HostCall.openPath(name, in: folder) }
        try require(file, identity)
        return file
    }
}
