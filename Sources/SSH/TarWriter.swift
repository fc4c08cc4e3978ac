import Glibc
import LinuxSystem
import SystemPackage

/// A folder or file of the host as a tar stream (POSIX ustar with GNU's long names, which every tar reads), made piece
/// by piece. Links are kept as links; sockets and devices are left out.
struct TarWriter {
    private struct Item {
        let path: FilePath
        /// In the archive; relative.
        let name: String
    }

    /// Numeric ids that the entries bear.
    var owner: (user: UInt32, group: UInt32) = (0, 0)
    /// Of regular files; nil keeps those of the host's files.
    var permissions: UInt32?
    private var waiting: [Item]
    private var file: (descriptor: DescriptorBox, left: Int64, padding: Int)?
    private var isFinished = false

    /// The contents of `folder`, not the folder itself.
    init(contentsOf folder: FilePath) throws(SSHError) {
        waiting = []
        try push(folder, "")
    }

    /// The names in front, so that what comes next is the last; children follow their folder.
    private mutating func push(_ folder: FilePath, _ prefix: String) throws(SSHError) {
        do {
            for name in try FileSystem.list(folder).reversed() {
                waiting.append(Item(path: folder.appending(name), name: prefix + name))
            }
        } catch { throw .system(error) }
    }

    /// The next piece of the stream, about `limit` bytes; empty at its end.
    mutating func next(_ limit: Int) throws(SSHError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit, !isFinished {
            if file != nil {
                try appendFile(to: &bytes, limit)
            } else if let item = waiting.popLast() {
                try append(item, to: &bytes)
            } else {
                // Two blocks of zeros end an archive.
                bytes += [UInt8](repeating: 0, count: 1024)
                isFinished = true
            }
        }
        return bytes
    }

    private mutating func appendFile(to bytes: inout [UInt8], _ limit: Int) throws(SSHError) {
        guard var current = file else { return }
        if current.left > 0 {
            let wanted = Int(min(Int64(max(1, limit - bytes.count)), current.left))
            var chunk = try current.descriptor.read(upTo: wanted)
            // The header has promised a size: a file that shrank meanwhile is filled up.
            if chunk.isEmpty { chunk = [UInt8](repeating: 0, count: wanted) }
            bytes += chunk
            current.left -= Int64(chunk.count)
        }
        if current.left == 0 {
            bytes += [UInt8](repeating: 0, count: current.padding)
            file = nil
        } else {
            file = current
        }
    }

    private mutating func append(_ item: Item, to bytes: inout [UInt8]) throws(SSHError) {
        do {
            guard let status = try FileSystem.status(item.path, followLinks: false) else { return }
            switch status.kind {
            case .directory:
                header(item.name + "/", status, type: "5", size: 0, link: "", to: &bytes)
                try push(item.path, item.name + "/")
            case .symbolicLink:
                header(item.name, status, type: "2", size: 0, link: try readLink(item.path), to: &bytes)
            case .regular:
                let descriptor = try OwnedDescriptor.open(item.path, [.readOnly, .noFollow])
                var opened = try descriptor.status()
                if let permissions { opened.permissions = permissions }
                header(item.name, opened, type: "0", size: opened.size, link: "", to: &bytes)
                let padding = Int((512 - opened.size % 512) % 512)
                file = (DescriptorBox(descriptor), opened.size, padding)
            case .socket, .other: break
            }
        } catch let error as SystemError {
            throw .system(error)
        } catch let error as SSHError {
            throw error
        } catch {
            throw .transferFailed(path: item.path.string, reason: "\(error)")
        }
    }

    private func readLink(_ path: FilePath) throws(SystemError) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = path.withPlatformString { name in
            buffer.withUnsafeMutableBytes { raw in
                raw.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { readlink(name, $0, 4096) } ?? -1 }
            }
        }
        guard count >= 0 else { throw SystemError("read the link", path, Errno(rawValue: errno)) }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    private func header(
        _ name: String, _ status: FileStatus, type: Character, size: Int64, link: String, to bytes: inout [UInt8]
    ) {
        for (text, kind) in [(link, Character("K")), (name, Character("L"))] where text.utf8.count > 100 {
            let content = Array(text.utf8) + [0]
            block("././@LongLink", 0, 0, Int64(content.count), kind, "", to: &bytes)
            bytes += content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
        }
        block(name, status.permissions, status.modified, size, type, link, to: &bytes)
    }

    private func block(
        _ name: String, _ permissions: UInt32, _ modified: Int64, _ size: Int64, _ type: Character, _ link: String,
        to bytes: inout [UInt8]
    ) {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: some Sequence<UInt8>, _ offset: Int, _ count: Int) {
            for (index, byte) in text.prefix(count).enumerated() { block[offset + index] = byte }
        }
        func octal(_ value: Int64, _ offset: Int, _ count: Int) {
            let digits = String(max(0, value), radix: 8)
            if digits.count < count {
                put((String(repeating: "0", count: count - 1 - digits.count) + digits).utf8, offset, count)
            } else {
                // GNU's binary form, for files of 8 GiB and more.
                for index in 0..<min(8, count) {
                    block[offset + count - 1 - index] = UInt8(truncatingIfNeeded: value >> Int64(8 * index))
                }
                block[offset] = 0x80
            }
        }
        put(name.utf8, 0, 100)
        octal(Int64(permissions), 100, 8)
        octal(Int64(owner.user), 108, 8)
        octal(Int64(owner.group), 116, 8)
        octal(size, 124, 12)
        octal(modified, 136, 12)
        put([UInt8](repeating: 0x20, count: 8), 148, 8)
        put(String(type).utf8, 156, 1)
        put(link.utf8, 157, 100)
        put("ustar  \0".utf8, 257, 8)
        let sum = block.reduce(0) { $0 + Int64($1) }
        octal(sum, 148, 7)
        block[155] = 0x20
        bytes += block
    }
}

/// Lets a descriptor sit in a tuple.
final class DescriptorBox {
    private let descriptor: OwnedDescriptor
    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    var rawDescriptor: CInt { descriptor.rawValue }

    func read(upTo count: Int) throws(SSHError) -> [UInt8] {
        do { return try descriptor.read(upTo: count) } catch { throw .system(error) }
    }

    func write(_ bytes: [UInt8]) throws(SSHError) {
        do { try descriptor.writeAll(bytes) } catch { throw .system(error) }
    }
}
