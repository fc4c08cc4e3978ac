import Glibc
import LinuxSystem
import SystemPackage

/// A folder or file of the host as a tar stream (POSIX ustar with GNU's long names, which every tar reads), made piece
/// by piece. Links are kept as links; sockets and devices are left out.
struct TarWriter {
    /// In the archive and below the folder; relative.
    private var waiting: [FilePath] = []
    private let folder: DescriptorBox
    /// Whether others may write to the folder: what is hidden from them is left out.
    private let isGuarded: Bool
    /// Numeric ids that the entries bear.
    var owner: (user: UInt32, group: UInt32) = (0, 0)
    /// Of regular files; nil keeps those of the host's files.
    var permissions: UInt32?
    private var file: (descriptor: DescriptorBox, left: Int64, padding: Int)?
    private var isFinished = false

    /// The contents of `folder`, not the folder itself.
    init(contentsOf folder: GuardedPath) throws(SSHError) {
        isGuarded = folder.folder != nil
        do { self.folder = DescriptorBox(try folder.open()) } catch { throw .system(error) }
        try push(self.folder, FilePath())
    }

    /// The names in front, so that what comes next is the last; children follow their folder.
    private mutating func push(_ opened: DescriptorBox, _ prefix: FilePath) throws(SSHError) {
        do {
            for name in try opened.names().reversed() where !isGuarded || name != ".wander" {
                waiting.append(prefix.pushing(name))
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

    private mutating func append(_ item: FilePath, to bytes: inout [UInt8]) throws(SSHError) {
        let name = item.withPlatformString { Array(UnsafeBufferPointer(start: $0, count: strlen($0))) }.map {
            UInt8(bitPattern: $0)
        }
        do {
            // Names what is there, whatever it is, and follows no link.
            let place = try folder.openBeneath(item, OwnedDescriptor.OpenFlags(rawValue: 0o10000000))
            let status = try place.status()
            switch status.kind {
            case .directory:
                header(name + [0x2f], status, type: "5", size: 0, link: [], to: &bytes)
                try push(DescriptorBox(try folder.openBeneath(item, [.readOnly, .directory])), item)
            case .symbolicLink:
                let link = try FileSystem.readLink("", at: place.rawValue)
                let target = link.withPlatformString { Array(UnsafeBufferPointer(start: $0, count: strlen($0))) }
                header(name, status, type: "2", size: 0, link: target.map { UInt8(bitPattern: $0) }, to: &bytes)
            case .regular:
                let descriptor = try folder.openBeneath(item, [.readOnly, .nonBlocking])
                var opened = try descriptor.status()
                guard opened.kind == .regular else { return }
                if let permissions { opened.permissions = permissions }
                header(name, opened, type: "0", size: opened.size, link: [], to: &bytes)
                let padding = Int((512 - opened.size % 512) % 512)
                file = (DescriptorBox(descriptor), opened.size, padding)
            case .socket, .other: break
            }
        } catch let error as SystemError {
            // Gone meanwhile, or replaced by a link.
            if [.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels].contains(error.errno) { return }
            throw .system(error)
        } catch let error as SSHError {
            throw error
        } catch {
            throw .transferFailed(path: item.string, reason: "\(error)")
        }
    }

    private func header(
        _ name: [UInt8], _ status: FileStatus, type: Character, size: Int64, link: [UInt8], to bytes: inout [UInt8]
    ) {
        for (text, kind) in [(link, Character("K")), (name, Character("L"))] where text.count > 100 {
            let content = text + [0]
            block(Array("././@LongLink".utf8), 0, 0, Int64(content.count), kind, [], to: &bytes)
            bytes += content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
        }
        block(name, status.permissions, status.modified, size, type, link, to: &bytes)
    }

    private func block(
        _ name: [UInt8], _ permissions: UInt32, _ modified: Int64, _ size: Int64, _ type: Character, _ link: [UInt8],
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
        put(name, 0, 100)
        octal(Int64(permissions), 100, 8)
        octal(Int64(owner.user), 108, 8)
        octal(Int64(owner.group), 116, 8)
        octal(size, 124, 12)
        octal(modified, 136, 12)
        put([UInt8](repeating: 0x20, count: 8), 148, 8)
        put(String(type).utf8, 156, 1)
        put(link, 157, 100)
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

    func names() throws(SystemError) -> [FilePath] { try descriptor.names() }

    func openBeneath(
        _ path: FilePath, _ flags: OwnedDescriptor.OpenFlags
    ) throws(SystemError) -> OwnedDescriptor { try descriptor.openBeneath(path, flags) }

    func read(upTo count: Int) throws(SSHError) -> [UInt8] {
        do { return try descriptor.read(upTo: count) } catch { throw .system(error) }
    }

    /// Writes what comes next in a new file, and leaves holes where whole blocks of it are zero.
    func writeSparsely(_ bytes: ArraySlice<UInt8>, isLast: Bool) throws(SSHError) {
        var rest = bytes
        do {
            while !rest.isEmpty {
                let piece = rest.prefix(64 << 10)
                rest = rest.dropFirst(piece.count)
                if piece.count >= 4096, piece.allSatisfy({ $0 == 0 }) {
                    try descriptor.skip(piece.count)
                } else {
                    try descriptor.writeAll(Array(piece))
                }
            }
            if isLast { try descriptor.endHere() }
        } catch { throw .system(error) }
    }

    func write(_ bytes: [UInt8]) throws(SSHError) {
        do { try descriptor.writeAll(bytes) } catch { throw .system(error) }
    }
}
