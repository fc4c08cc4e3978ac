import CLinux
import Glibc
import SystemPackage

// Extended attributes (xattr(7)), of regular files and folders. Those of users alone: the others tell the host's kernel
// what a file may do, or what it is, and the guest's kernel has a say in neither.

extension FileSystemServer {
    private static let prefix = Array("user.".utf8)
    /// In bytes, of a value and of a list of names (linux/limits.h).
    private static let attributeLimit = 1 << 16

    /// The file of the request, and the name of an attribute of it.
    private func attribute(_ request: inout Request) throws(Errno) -> (file: HostFile, name: [UInt8]) {
        let name = try request.attributeName()
        guard name.starts(with: Self.prefix), name.count > Self.prefix.count + 1 else { throw .notSupported }
        return (try attributeFile(request.header.node), name)
    }

    private func attributeFile(_ node: UInt64) throws(Errno) -> HostFile {
        let place = try nodes.place(of: node)
        guard [.regular, .folder].contains(place.identity.kind) else { throw .notSupported }
        return try file(place)
    }

    /// GETXATTR: the value, or its length if the guest has no room yet.
    func getAttribute(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let size = Int(try request.take(UInt32.self))
        try request.skip(4)
        let (file, name) = try attribute(&request)
        func value(_ buffer: UnsafeMutableRawBufferPointer, _ count: Int) throws(Errno) -> Int {
            try HostCall.checked {
                unsafe name.withUnsafeBufferPointer { name in
                    processFolder.withPath(of: file) {
                        linux_syscall(
                            Int(SYS_getxattr), $0, UInt(bitPattern: name.baseAddress),
                            UInt(bitPattern: buffer.baseAddress), UInt(count), 0)
                    }
                }
            }
        }
        if size == 0 {
            try reply.require(8)
            let count = try unsafe value(UnsafeMutableRawBufferPointer(start: nil, count: 0), 0)
            reply.append(UInt32(clamping: count))
            reply.append(0 as UInt32)
        } else {
            unsafe try reply.fill(min(size, Self.attributeLimit)) { buffer throws(Errno) in
                guard unsafe !buffer.isEmpty else { throw .outOfRange }
                return try unsafe value(buffer, buffer.count)
            }
        }
    }

    /// LISTXATTR.
    func listAttributes(_ request: inout Request, _ reply: inout Reply) throws(Errno) {
        let size = Int(try request.take(UInt32.self))
        let place = try nodes.place(of: request.header.node)
        var list: [UInt8] = []
        if [.regular, .folder].contains(place.identity.kind) { list = try attributeNames(file(place)) }
        if size == 0 {
            try reply.require(8)
            reply.append(UInt32(list.count))
            reply.append(0 as UInt32)
        } else {
            guard list.count <= min(size, reply.room) else { throw .outOfRange }
            unsafe list.withUnsafeBytes { unsafe reply.append($0) }
        }
    }

    /// The names that the guest may see, each with its NUL.
    private func attributeNames(_ file: HostFile) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let names = unsafe [UInt8](unsafeUninitializedCapacity: Self.attributeLimit) { buffer, count in
            do throws(Errno) {
                count = try HostCall.checked {
                    processFolder.withPath(of: file) {
                        linux_syscall(
                            Int(SYS_listxattr), $0, UInt(bitPattern: buffer.baseAddress), UInt(Self.attributeLimit), 0,
                            0)
                    }
                }
            } catch { failure = error }
        }
        // A file system without extended attributes has none to list.
        if let failure, failure != .notSupported { throw failure }
        return names.split(separator: 0).filter { $0.starts(with: Self.prefix) }.flatMap { $0 + [0] }
    }

    /// SETXATTR.
    func setAttribute(_ request: inout Request) throws(Errno) {
        let size = Int(try request.take(UInt32.self))
        let flags = try request.take(UInt32.self)
        let (file, name) = try attribute(&request)
        guard size <= Self.attributeLimit else { throw .argListTooLong }
        // XATTR_CREATE, XATTR_REPLACE
        guard flags <= 2 else { throw .invalidArgument }
        let value = unsafe try request.take(size)
        _ = try HostCall.checked {
            unsafe name.withUnsafeBufferPointer { name in
                processFolder.withPath(of: file) {
                    linux_syscall(
                        Int(SYS_setxattr), $0, UInt(bitPattern: name.baseAddress), UInt(bitPattern: value.baseAddress),
                        UInt(size), UInt(flags))
                }
            }
        }
    }

    /// REMOVEXATTR.
    func removeAttribute(_ request: inout Request) throws(Errno) {
        let (file, name) = try attribute(&request)
        _ = try HostCall.checked {
            unsafe name.withUnsafeBufferPointer { name in
                processFolder.withPath(of: file) {
                    linux_syscall(Int(SYS_removexattr), $0, UInt(bitPattern: name.baseAddress), 0, 0, 0)
                }
            }
        }
    }
}
