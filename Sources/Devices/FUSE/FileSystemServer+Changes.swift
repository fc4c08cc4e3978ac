import CLinux
import Glibc
import SystemPackage

/// What SETATTR changes (linux/fuse.h, `FATTR_*`).
struct AttributeChanges: OptionSet {
    let rawValue: UInt32
    static let mode = Self(rawValue: 1 << 0)
    static let user = Self(rawValue: 1 << 1)
    static let group = Self(rawValue: 1 << 2)
    static let size = Self(rawValue: 1 << 3)
    static let accessed = Self(rawValue: 1 << 4)
    static let modified = Self(rawValue: 1 << 5)
    static let handle = Self(rawValue: 1 << 6)
    static let accessedNow = Self(rawValue: 1 << 7)
    static let modifiedNow = Self(rawValue: 1 << 8)
    /// Those that change something on the host.
    static let all: Self = [.mode, .size, .accessed, .modified, .accessedNow, .modifiedNow]
}

extension FileSystemServer {
    /// SETATTR. A change of the owner succeeds and changes nothing: what the guest makes is the host's user's.
    func setAttributes(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let node = request.header.node
        let changes = AttributeChanges(rawValue: try request.take())
        try request.skip(4)
        let handle = try request.take(UInt64.self)
        let size = try request.take(UInt64.self)
        try request.skip(8)
        let accessed = try request.take(Int64.self)
        let modified = try request.take(Int64.self)
        try request.skip(8)
        let accessedNanoseconds = try request.take(UInt32.self)
        let modifiedNanoseconds = try request.take(UInt32.self)
        try request.skip(4)
        let mode = try request.take(UInt32.self)
        try request.skip(4)
        let user = try request.take(UInt32.self)
        let group = try request.take(UInt32.self)
        try reply.require(Self.attributesReplyByteCount)

        let isOfOwner = !changes.isDisjoint(with: [.user, .group])
        if isOfOwner, node == NodeTable.root, request.header.user == 0 {
            owners.settle(
                user: changes.contains(.user) ? user : nil, group: changes.contains(.group) ? group : nil)
        }
        guard !changes.isDisjoint(with: .all) else {
            guard !options.isReadOnly || node == NodeTable.root else { throw .readOnlyFileSystem }
            return appendAttributesReply(try status(node), &reply)
        }
        guard !options.isReadOnly else { throw .readOnlyFileSystem }
        let file = try file(node)
        if changes.contains(.size) {
            try truncate(file, node, handle: changes.contains(.handle) ? handle : nil, to: size)
        }
        if changes.contains(.mode) { try changeMode(of: file, requested: mode) }
        try changeTimes(
            of: file,
            Self.time(changes, .accessed, .accessedNow, accessed, accessedNanoseconds),
            Self.time(changes, .modified, .modifiedNow, modified, modifiedNanoseconds))
        appendAttributesReply(try HostStatus(of: file), &reply)
    }

    private func truncate(_ file: HostFile, _ node: UInt64, handle: UInt64?, to size: UInt64) throws(Errno) {
        guard size <= UInt64(Int64.max) else { throw .fileTooLarge }
        try removePrivileges(of: file)
        if let handle {
            // As ftruncate(2): what the file's mode is by now does not matter.
            let handle = try handles.handle(handle, of: node)
            guard handle.isWritable else { throw .invalidArgument }
            try HostCall.call(Int(SYS_ftruncate), handle.file, UInt(size))
        } else {
            guard try HostStatus(of: file).kind == .regular else { throw .invalidArgument }
            let opened = try bound.open(.request) { () throws(Errno) in
                try processFolder.reopen(file, flags: O_WRONLY)
            }
            try HostCall.call(Int(SYS_ftruncate), opened, UInt(size))
        }
    }

    /// A guest may leave or clear the bits that give a program its owner's rights, not set them. Of a folder, the bit
    /// of the group only says whose what is made in it is.
    private func changeMode(of file: HostFile, requested mode: UInt32) throws(Errno) {
        let status = try HostStatus(of: file)
        guard status.kind != .link else { throw .notSupported }
        let settable = status.kind == .folder ? Self.modeBits | Self.setGroupBit : Self.modeBits
        try changeMode(of: file, to: mode & (settable | status.mode & Self.setIDBits))
    }

    // linux/stat.h
    private static let now = Int64(0x3fff_ffff)
    private static let omitted = Int64(0x3fff_fffe)

    /// Seconds and nanoseconds as utimensat(2) wants them.
    private static func time(
        _ changes: AttributeChanges, _ given: AttributeChanges, _ isNow: AttributeChanges, _ seconds: Int64,
        _ nanoseconds: UInt32
    ) throws(Errno) -> (Int64, Int64) {
        if !changes.isDisjoint(with: isNow) { return (0, now) }
        guard !changes.isDisjoint(with: given) else { return (0, omitted) }
        guard nanoseconds < 1_000_000_000 else { throw .invalidArgument }
        return (seconds, Int64(nanoseconds))
    }

    private func changeTimes(
        of file: HostFile, _ accessed: (Int64, Int64), _ modified: (Int64, Int64)
    ) throws(Errno) {
        guard accessed.1 != Self.omitted || modified.1 != Self.omitted else { return }
        let times = [accessed.0, accessed.1, modified.0, modified.1]
        try unsafe times.withUnsafeBufferPointer { times throws(Errno) in
            try HostCall.call(
                Int(SYS_utimensat), file, FileName.none, UInt(bitPattern: times.baseAddress), HostCall.emptyPath)
        }
    }
}
