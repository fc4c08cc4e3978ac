import Glibc
import LinuxSystem
import SystemPackage
import Tar

/// Unpacks a tar stream that a guest sends into a folder of the host. The guest is not trusted: no entry lands outside
/// the folder, links are made but never followed, set-user-id bits are dropped, and devices are refused.
struct TarReader {
    private let root: SharedDescriptor
    /// For a single file: what it is to be called, whatever the archive says.
    private let onlyName: String?
    private(set) var unpackedFiles = 0
    private(set) var isFinished = false
    private var buffer: [UInt8] = []
    /// Of a record that describes the next entry, while its description is still to come.
    private var header: TarBlock?
    private var file: (descriptor: SharedDescriptor, left: Int64)?
    /// Bytes of content and padding that are of no interest.
    private var skipping: Int64 = 0
    /// From records that describe the next entry.
    private var longName: String?
    private var longLink: String?
    private var longSize: Int64?
    /// Given their modes at the end, since a read-only folder takes no files.
    private var folderModes: [(name: String, permissions: UInt32)] = []

    init(into folder: FilePath, onlyName: String? = nil) throws(SSHError) {
        do {
            try FileSystem.makeDirectory(folder)
            root = SharedDescriptor(try OwnedDescriptor.open(folder, [.readOnly, .directory]))
        } catch { throw .system(error) }
        self.onlyName = onlyName
    }

    mutating func consume(_ bytes: ArraySlice<UInt8>) throws(SSHError) {
        var rest = bytes
        while !rest.isEmpty, !isFinished {
            if let current = file {
                let count = Int(min(current.left, Int64(rest.count)))
                let isLast = current.left == Int64(count)
                try current.descriptor.writeSparsely(rest.prefix(count), isLast: isLast)
                rest.removeFirst(count)
                file = current.left == Int64(count) ? nil : (current.descriptor, current.left - Int64(count))
            } else if skipping > 0 {
                let count = Int(min(skipping, Int64(rest.count)))
                rest.removeFirst(count)
                skipping -= Int64(count)
            } else {
                let count = min(wanted - buffer.count, rest.count)
                buffer += rest.prefix(count)
                rest.removeFirst(count)
                if buffer.count == wanted { try takeBlock() }
            }
        }
    }

    /// Call once, when the stream has ended.
    mutating func finish() throws(SSHError) {
        let isWhole = buffer.isEmpty && header == nil && file == nil && skipping == 0
        guard isFinished || isWhole else { throw damaged("it ends too early") }
        for folder in folderModes.reversed() {
            let (parent, name) = try parent(of: folder.name)
            guard
                let opened = try? OwnedDescriptor.open(
                    FilePath(name), [.readOnly, .directory, .noFollow], at: parent.rawValue)
            else { continue }
            _ = fchmod(opened.rawValue, folder.permissions)
        }
    }

    /// How much `buffer` must hold before the next step, in bytes: a header, or the description that a header has
    /// announced.
    private var wanted: Int {
        guard let size = header.flatMap(Self.descriptionSize) else { return TarBlock.byteCount }
        return size + TarBlock.paddingCount(after: size)
    }

    /// In bytes, for the header of a record that describes the next entry.
    private static func descriptionSize(_ header: TarBlock) -> Int? {
        guard "LKxg".utf8.contains(header.kind), let size = header.number(.size), size >= 0, size <= 64 << 10 else {
            return nil
        }
        return Int(size)
    }

    private mutating func takeBlock() throws(SSHError) {
        if let header, let size = Self.descriptionSize(header) {
            describe(header.kind, Array(buffer.prefix(size)))
            self.header = nil
            return buffer.removeAll()
        }
        guard let block = TarBlock(buffer) else { return }
        buffer.removeAll()
        if block.isZero {
            isFinished = true
            return
        }
        guard block.isSealed else { throw damaged("a header's checksum is wrong") }
        if let size = Self.descriptionSize(block) {
            // The description itself is still to come.
            if size > 0 { header = block } else { describe(block.kind, []) }
            return
        }
        guard let ownSize = block.number(.size), let mode = block.number(.permissions) else {
            throw damaged("a header holds no numbers")
        }
        let size = longSize ?? ownSize
        guard size >= 0 else { throw damaged("a size is negative") }
        let prefix = block.isPOSIX ? block.text(.prefix) : ""
        let name = longName ?? (prefix.isEmpty ? "" : prefix + "/") + block.text(.name)
        let link = longLink ?? block.text(.link)
        (longName, longLink, longSize) = (nil, nil, nil)
        try unpack(block.kind, name, link, size, UInt32(truncatingIfNeeded: mode) & 0o777)
    }

    private mutating func describe(_ type: UInt8, _ content: [UInt8]) {
        switch type {
        case UInt8(ascii: "L"): longName = String(decoding: content.prefix { $0 != 0 }, as: UTF8.self)
        case UInt8(ascii: "K"): longLink = String(decoding: content.prefix { $0 != 0 }, as: UTF8.self)
        case UInt8(ascii: "x"):
            for record in PaxRecords.decode(content) {
                switch record.key {
                case "path": longName = record.value
                case "linkpath": longLink = record.value
                case "size": longSize = Int64(record.value)
                default: break
                }
            }
        default: break  // Defaults for all entries: owners and times, which are of no interest here.
        }
    }

    private mutating func unpack(
        _ type: UInt8, _ name: String, _ link: String, _ size: Int64, _ permissions: UInt32
    ) throws(SSHError) {
        let hasContent = [0, UInt8(ascii: "0"), UInt8(ascii: "7")].contains(type)
        let padding = Int64(TarBlock.paddingCount(after: size))
        let path = onlyName ?? name
        if path.split(separator: "/").allSatisfy({ $0 == "." }) {
            skipping = hasContent ? size.addingReportingOverflow(padding).partialValue : 0
            return
        }
        let (parent, last) = try parent(of: path)
        let directory = parent.rawValue
        switch type {
        case UInt8(ascii: "5"):
            guard onlyName == nil else { throw damaged("a folder came instead of a file") }
            if mkdirat(directory, last, 0o700) != 0, errno != EEXIST { throw failure("make the folder", path) }
            folderModes.append((path, permissions))
        case UInt8(ascii: "2"):
            guard onlyName == nil else { throw damaged("a link came instead of a file") }
            unlinkat(directory, last, 0)
            if symlinkat(link, directory, last) != 0 { throw failure("make the link", path) }
        case UInt8(ascii: "1"):
            let (source, sourceName) = try self.parent(of: link)
            unlinkat(directory, last, 0)
            if linkat(source.rawValue, sourceName, directory, last, 0) != 0 {
                throw failure("make the link", path)
            }
        case _ where hasContent:
            // Not through whatever is there: a link in the folder may lead anywhere.
            unlinkat(directory, last, 0)
            let opened: SharedDescriptor
            do {
                opened = SharedDescriptor(
                    try OwnedDescriptor.open(
                        FilePath(last), [.writeOnly, .create, .exclusive, .noFollow], permissions: 0o600, at: directory)
                )
            } catch { throw .transferFailed(path: path, reason: "\(error.errno)") }
            _ = fchmod(opened.rawValue, permissions)
            unpackedFiles += 1
            file = size > 0 ? (opened, size) : nil
            skipping = padding
        default:
            throw .transferFailed(path: path, reason: "it is neither a file, a folder nor a link")
        }
    }

    /// The folder that an entry belongs into, made if missing, reached without following a link.
    private func parent(of path: String) throws(SSHError) -> (SharedDescriptor, String) {
        let components = path.split(separator: "/").filter { $0 != "." }.map(String.init)
        guard let last = components.last, !components.contains(".."), !path.utf8.contains(0), path.utf8.count <= 4096
        else {
            throw damaged("an entry is called '\(path.prefix(100))'")
        }
        var directory = root
        for component in components.dropLast() {
            if mkdirat(directory.rawValue, component, 0o755) != 0, errno != EEXIST {
                throw failure("make the folder", path)
            }
            do {
                directory = SharedDescriptor(
                    try OwnedDescriptor.open(
                        FilePath(component), [.readOnly, .directory, .noFollow], at: directory.rawValue))
            } catch { throw .transferFailed(path: path, reason: "\(error.errno)") }
        }
        return (directory, last)
    }

    private func damaged(_ reason: String) -> SSHError {
        .transferFailed(path: "the guest's files", reason: "the archive that it sent is damaged: \(reason)")
    }

    private func failure(_ operation: String, _ path: String) -> SSHError {
        .transferFailed(path: path, reason: "cannot \(operation): \(Errno(rawValue: errno))")
    }
}
