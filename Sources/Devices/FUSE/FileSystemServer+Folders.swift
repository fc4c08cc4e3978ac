import Glibc
import SystemPackage

extension FileSystemServer {
    /// OPENDIR.
    func openFolder(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        try reply.require(Self.openedByteCount)
        let node = request.header.node
        let place = try nodes.place(of: node)
        let folder = try folder(node)
        let file = try openDescriptor(for: .folder) { () throws(Errno) in
            try processFolder.reopen(folder, flags: O_RDONLY | O_DIRECTORY)
        }
        reply.append(handles.insert(Handle(node, place.identity, file)))
        reply.append(0 as UInt64)
    }

    // linux/fuse.h, `struct fuse_dirent`: inode number, offset of the next, length of the name, type, name, padding.
    private static let direntByteCount = 24

    /// READDIR and READDIRPLUS.
    func readFolder(
        _ request: inout Request, _ reply: inout Reply, _ buffer: FolderBuffer, withAttributes: Bool
    ) throws(Errno) {
        let node = request.header.node
        let number = try request.take(UInt64.self)
        let offset = try request.take(UInt64.self)
        let size = Int(try request.take(UInt32.self))
        let handle = try handles.handle(number, of: node, isFolder: true)
        let end = reply.byteCount + min(size, reply.room)
        let fixed = (withAttributes ? Self.entryByteCount : 0) + Self.direntByteCount
        var count = 0
        try buffer.forEachEntry(of: handle, number, from: offset) { entry throws(Errno) in
            guard unsafe !isHidden(entry.name) else { return true }
            let length = unsafe (fixed + entry.name.count + 7) & ~7
            guard length <= end - reply.byteCount else {
                // Nothing at all would be the end of the folder.
                if count == 0 { throw .invalidArgument }
                return false
            }
            let start = reply.byteCount
            var inode = inodeNumbers.number(of: entry.inode, on: handle.identity.device)
            if unsafe node == NodeTable.root && entry.name.elementsEqual("..".utf8) {
                // What is above is no business of the guest's.
                inode = inodeNumbers.number(of: handle.identity.inode, on: handle.identity.device)
            }
            if withAttributes {
                inode = appendEntry(entry, in: handle, &reply) ?? inode
            }
            reply.append(inode)
            reply.append(entry.next)
            unsafe reply.append(UInt32(entry.name.count))
            reply.append(UInt32(entry.type))
            unsafe reply.append(entry.name)
            reply.appendZeroes(length - (reply.byteCount - start))
            count += 1
            return true
        }
    }

    /// Looks an entry up. One that cannot be, or is gone meanwhile, is named to the guest without being known to it:
    /// with every entry the reply grows, so that a folder that others fill and empty has an end.
    /// - Returns: Its inode number.
    private func appendEntry(_ entry: FolderEntry, in folder: Handle, _ reply: inout Reply) -> UInt64? {
        do throws(Errno) {
            // `.` and `..` are no names, and not looked up.
            let name = try unsafe FileName(entry.name)
            let status = try HostStatus(of: name, in: folder.file)
            try appendEntry(status, name, in: folder.node, &reply)
            return inodeNumbers.number(of: status.inode, on: status.device)
        } catch {
            reply.appendZeroes(Self.entryByteCount)
            return nil
        }
    }
}
