import Synchronization
import SystemPackage

/// What both sides of a mount agree on (linux/fuse.h, `FUSE_INIT`).
struct SessionFlags: OptionSet {
    let rawValue: UInt32
    static let asynchronousReads = Self(rawValue: 1 << 0)
    /// The server empties files that are opened with `O_TRUNC`.
    static let truncatesAtOpen = Self(rawValue: 1 << 3)
    static let bigWrites = Self(rawValue: 1 << 5)
    /// Pages are dropped when size or time of modification changed.
    static let invalidatesByTime = Self(rawValue: 1 << 12)
    static let foldersWithAttributes = Self(rawValue: 1 << 13)
    static let foldersWithAttributesIfUseful = Self(rawValue: 1 << 14)
    static let asynchronousDirectIO = Self(rawValue: 1 << 15)
    static let parallelFolderOperations = Self(rawValue: 1 << 18)
    /// The server takes set-user-id bits away from files that are written. The second version spares the guest one
    /// request for each write.
    static let removesPrivileges = Self(rawValue: 1 << 19)
    static let pageLimit = Self(rawValue: 1 << 22)
    static let cachesLinks = Self(rawValue: 1 << 23)
    static let removesPrivilegesOnDemand = Self(rawValue: 1 << 28)
}

extension FileSystemServer {
    private static let major: UInt32 = 7
    /// The minor version of the protocol that the replies follow.
    private static let minor: UInt32 = 39
    /// Linux 5.4, the first with virtio-fs.
    private static let oldestMinor: UInt32 = 27
    /// The file data of one request, in bytes and in pages of 4 KiB.
    static let transferLimit = 1 << 20
    private static let transferPages: UInt16 = 256

    private var wantedFlags: SessionFlags {
        var flags: SessionFlags = [
            .asynchronousReads, .truncatesAtOpen, .bigWrites, .invalidatesByTime, .foldersWithAttributes,
            .foldersWithAttributesIfUseful, .asynchronousDirectIO, .parallelFolderOperations, .removesPrivileges,
            .removesPrivilegesOnDemand, .pageLimit,
        ]
        // A link that is made anew is another file then, so that its target never changes.
        if usesBirth { flags.insert(.cachesLinks) }
        return flags
    }

    /// INIT: a guest mounts the folder. Whatever an earlier mount left is forgotten.
    func initialize(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let major = try request.take(UInt32.self)
        let minor = try request.take(UInt32.self)
        let readAhead = try request.take(UInt32.self)
        let offered = SessionFlags(rawValue: try request.take())
        try reply.require(64)
        if major > Self.major {
            // The guest asks again with this version.
            reply.append(Self.major)
            reply.append(Self.minor)
            reply.appendZeroes(56)
            return
        }
        guard major == Self.major, minor >= Self.oldestMinor else { throw .protocolError }
        reset()
        owners.mounted()
        var flags = wantedFlags.intersection(offered)
        if flags.contains(.removesPrivilegesOnDemand) { flags.remove(.removesPrivileges) }
        reply.append(Self.major)
        reply.append(Self.minor)
        reply.append(min(readAhead, UInt32(Self.transferLimit)))
        reply.append(flags.rawValue)
        // Requests that the guest makes ahead, such as read-ahead, and how many of them count as many.
        reply.append(256 as UInt16)
        reply.append(192 as UInt16)
        reply.append(UInt32(Self.transferLimit))
        // Times count in nanoseconds.
        reply.append(1 as UInt32)
        reply.append(Self.transferPages)
        reply.appendZeroes(34)
        isInitialized.store(true, ordering: .releasing)
    }
}
