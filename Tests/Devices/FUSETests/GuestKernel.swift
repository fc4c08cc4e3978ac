import FUSE
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// The guest's end of the protocol: builds requests byte by byte from linux/fuse.h and takes replies apart.
final class GuestKernel: @unchecked Sendable {
    // Unchecked: `segmentSize` changes before threads share it.
    let server: FileSystemServer
    let folder: TemporaryFolder
    private let lastUnique = Atomic<UInt64>(1)
    /// How requests and replies are cut into buffers.
    var segmentSize = 509

    /// Serves `folder`, or a folder in it, and mounts it.
    init(
        _ folder: TemporaryFolder, at path: FilePath? = nil, mounts: Bool = true,
        _ configure: (inout FileSystemServer.Options) -> Void = { _ in }
    ) throws {
        var options = FileSystemServer.Options()
        configure(&options)
        self.folder = folder
        server = try FileSystemServer(folder: .open(path ?? folder.path, [.readOnly, .directory]), options: options)
        if mounts { #expect(initialize().error == 0) }
    }

    struct Reply {
        /// 0 or a negative `errno`.
        var error: Int32
        var bytes: [UInt8]
        /// What serve(_:) returned.
        var byteCount: Int

        func value<T: FixedWidthInteger>(at offset: Int, _: T.Type = T.self) -> T {
            guard offset + MemoryLayout<T>.size <= bytes.count else { return 0 }
            return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) }
        }
    }

    /// Makes a request.
    /// - Parameters:
    ///   - arguments: What stands behind the header.
    ///   - room: Bytes for the reply, with its header.
    func ask(
        _ opcode: UInt32, _ node: UInt64 = 1, _ arguments: [UInt8] = [], user: UInt32 = 1000, room: Int = 4112,
        length: UInt32? = nil
    ) -> Reply {
        let unique = lastUnique.add(1, ordering: .relaxed).newValue
        let request =
            little(length ?? UInt32(40 + arguments.count)) + little(opcode) + little(unique) + little(node)
            + little(user) + little(user) + little(1 as UInt32) + little(0 as UInt32) + arguments
        let (count, bytes) = exchange(request, room: room)
        guard count >= 16 else { return Reply(error: 0, bytes: [], byteCount: count) }
        let header = Reply(error: 0, bytes: Array(bytes[..<16]), byteCount: 16)
        let length = Int(header.value(at: 0, UInt32.self))
        #expect(length == count && count <= room)
        #expect(header.value(at: 8, UInt64.self) == unique)
        return Reply(error: header.value(at: 4), bytes: Array(bytes[16..<min(count, bytes.count)]), byteCount: count)
    }

    /// Hands raw bytes to the server.
    func exchange(_ request: [UInt8], room: Int) -> (count: Int, bytes: [UInt8]) {
        var request = request
        // Behind the room lies a mark that must stay.
        let mark: UInt8 = 0xa5
        var reply = [UInt8](repeating: mark, count: room + 64)
        let count = request.withUnsafeMutableBytes { request in
            reply.withUnsafeMutableBytes { reply in
                let from = segments(UnsafeMutableRawBufferPointer(rebasing: request[...]))
                let to = segments(UnsafeMutableRawBufferPointer(rebasing: reply[..<room]))
                return from.withUnsafeBufferPointer { from in
                    to.withUnsafeBufferPointer { to in
                        var exchange = SegmentedExchange(request: from, reply: to)
                        return server.serve(&exchange)
                    }
                }
            }
        }
        #expect(reply[room...].allSatisfy { $0 == mark })
        return (count, reply)
    }

    private func segments(_ bytes: UnsafeMutableRawBufferPointer) -> [iovec] {
        stride(from: 0, to: bytes.count, by: segmentSize).map { start in
            iovec(iov_base: bytes.baseAddress.map { $0 + start }, iov_len: min(segmentSize, bytes.count - start))
        }
    }

    // MARK: - Requests

    @discardableResult
    func initialize(major: UInt32 = 7, minor: UInt32 = 38, flags: UInt32 = .max) -> Reply {
        ask(26, 0, little(major) + little(minor) + little(UInt32(128 << 10)) + little(flags), user: 0)
    }

    func lookUp(_ name: String, in parent: UInt64 = 1) -> Entry { Entry(ask(1, parent, text(name))) }

    /// The node of a path of names.
    func node(_ path: String) -> UInt64 {
        path.split(separator: "/").reduce(1) { lookUp(String($1), in: $0).node }
    }

    func attributes(_ node: UInt64) -> Attributes {
        let reply = ask(3, node, little(0 as UInt64) + little(0 as UInt64))
        return Attributes(reply, at: 16)
    }

    func forget(_ node: UInt64, _ count: UInt64 = 1) -> Int { ask(2, node, little(count)).byteCount }
}

/// linux/fuse.h, `struct fuse_attr`.
struct Attributes: Equatable {
    var error: Int32
    var inode, size, blocks: UInt64
    var modified: Int64
    var modifiedNanoseconds, mode, links, user, group, device: UInt32

    init(_ reply: GuestKernel.Reply, at offset: Int) {
        error = reply.error
        inode = reply.value(at: offset)
        size = reply.value(at: offset + 8)
        blocks = reply.value(at: offset + 16)
        modified = reply.value(at: offset + 32)
        modifiedNanoseconds = reply.value(at: offset + 52)
        mode = reply.value(at: offset + 60)
        links = reply.value(at: offset + 64)
        user = reply.value(at: offset + 68)
        group = reply.value(at: offset + 72)
        device = reply.value(at: offset + 76)
    }
}

/// linux/fuse.h, `struct fuse_entry_out`.
struct Entry {
    var error: Int32
    var node: UInt64
    /// In seconds.
    var validity: UInt64
    var attributes: Attributes
    /// What follows it.
    var reply: GuestKernel.Reply

    init(_ reply: GuestKernel.Reply) {
        error = reply.error
        node = reply.value(at: 0)
        validity = reply.value(at: 16)
        attributes = Attributes(reply, at: 40)
        self.reply = reply
    }
}

func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }
/// A string and its NUL.
func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

/// What the host says of a path; links are not followed.
func hostStatus(_ path: FilePath) throws -> stat {
    var status = stat()
    guard path.withPlatformString({ lstat($0, &status) }) == 0 else { throw Errno(rawValue: errno) }
    return status
}
