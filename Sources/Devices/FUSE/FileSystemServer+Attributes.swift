import SystemPackage

extension FileSystemServer {
    static let attributesByteCount = 88
    static let attributesReplyByteCount = 16 + attributesByteCount

    /// GETATTR.
    func getAttributes(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        try reply.require(Self.attributesReplyByteCount)
        appendAttributesReply(try status(request.header.node), &reply)
    }

    func appendAttributesReply(_ status: HostStatus, _ reply: inout Reply) {
        reply.append(Self.validity)
        reply.append(0 as UInt64)
        appendAttributes(status, &reply)
    }

    /// linux/fuse.h, `struct fuse_attr`.
    func appendAttributes(_ status: HostStatus, _ reply: inout Reply) {
        let owner = owners.owner(of: status)
        reply.append(inodeNumbers.number(of: status.inode, on: status.device))
        reply.append(status.size)
        reply.append(status.blockCount)
        for time in [status.accessed, status.modified, status.changed] { reply.append(time.seconds) }
        for time in [status.accessed, status.modified, status.changed] { reply.append(time.nanoseconds) }
        reply.append(status.mode)
        reply.append(status.linkCount)
        reply.append(owner.user)
        reply.append(owner.group)
        // No device numbers: the guest's kernel would open the guest's device of that number.
        reply.append(0 as UInt32)
        reply.append(status.blockSize)
        reply.append(0 as UInt32)
    }
}
