import SystemPackage

extension FileSystemServer {
    /// How long a guest may believe a name and attributes, in seconds.
    static let validity: UInt64 = 1
    static let entryByteCount = 128

    /// LOOKUP. A name that is not there is an answer too, and as valid as any other.
    func lookUp(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let name = try request.name()
        try reply.require(Self.entryByteCount)
        do throws(Errno) {
            try requireVisible(name)
            if replacedNames.contains(name, in: request.header.node) {
                try appendHeldEntry(name, in: request.header.node, &reply)
            } else {
                try appendEntry(name, in: request.header.node, &reply)
            }
        } catch .noSuchFileOrDirectory {
            reply.append(0 as UInt64)
            reply.append(0 as UInt64)
            reply.append(Self.validity)
            reply.appendZeroes(Self.entryByteCount - 24)
        }
    }

    /// As ``appendEntry(_:in:_:)``, of a file that stays what it is for the guest when its name is given to another.
    /// The guest looks at the name each time, so that it misses no replacement either.
    private func appendHeldEntry(_ name: FileName, in parent: UInt64, _ reply: inout Reply) throws(Errno) {
        let folder = try folder(parent)
        let file: HostFile
        do throws(Errno) {
            file = try openDescriptor(for: .kept) { () throws(Errno) in try HostCall.openPath(name, in: folder) }
        } catch .tooManyOpenFilesInSystem { return try appendEntry(name, in: parent, &reply) }
        let status = try HostStatus(of: file)
        let node = try nodes.found(identity(status), as: name, in: parent)
        appendEntry(node, status, &reply, validity: 0)
        guard ReplacedNames.holds(status.kind), (try? require(file, identity(status))) != nil else { return }
        nodes.hold(node, file)
        if let other = replacedNames.hold(node) { nodes.letGo(other) }
    }

    /// Finds `name`, and tells the guest of it.
    func appendEntry(_ name: FileName, in parent: UInt64, _ reply: inout Reply) throws(Errno) {
        let folder = try folder(parent)
        let status = try HostStatus(of: name, in: folder)
        try appendEntry(status, name, in: parent, &reply)
    }

    /// Tells the guest of a file under `name`. The caller has made sure of the room.
    func appendEntry(
        _ status: HostStatus, _ name: FileName, in parent: UInt64, _ reply: inout Reply
    ) throws(Errno) {
        let node = try nodes.found(identity(status), as: name, in: parent)
        appendEntry(node, status, &reply)
    }

    /// - Parameter validity: How long the guest may believe the name, in seconds.
    func appendEntry(
        _ node: UInt64, _ status: HostStatus, _ reply: inout Reply, validity: UInt64 = FileSystemServer.validity
    ) {
        reply.append(node)
        // The generation: numbers are not used twice.
        reply.append(0 as UInt64)
        reply.append(validity)
        reply.append(Self.validity)
        reply.append(0 as UInt64)
        appendAttributes(status, &reply)
    }

    func identity(_ status: HostStatus) -> FileIdentity { FileIdentity(status, usesBirth: usesBirth) }

    /// FORGET: the guest counts itself out of a node.
    func forget(_ request: inout Request) throws(Errno) {
        nodes.forget(request.header.node, try request.take())
    }

    /// BATCH_FORGET.
    func forgetBatch(_ request: inout Request) throws(Errno) {
        let count = try request.take(UInt32.self)
        try request.skip(4)
        for _ in 0..<min(Int(count), request.remainingByteCount / 16) {
            let node: UInt64 = try request.take()
            nodes.forget(node, try request.take())
        }
    }
}
