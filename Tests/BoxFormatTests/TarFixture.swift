/// A tar archive built field by field from POSIX (pax, "ustar Interchange Format"), so that it can say what no tool
/// writes.
struct TarFixture {
    var bytes: [UInt8] = []

    enum Kind: Character {
        case file = "0"
        case hardLink = "1"
        case symbolicLink = "2"
        case characterDevice = "3"
        case directory = "5"
        case pipe = "6"
        case pax =
            "x"
    }

    /// - Parameter size: What the header claims, if not what `content` has.
    mutating func add(
        _ name: [UInt8], _ content: [UInt8] = [], kind: Kind = .file, mode: Int = 0o644, size: Int? = nil,
        link: String = ""
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: [UInt8], at offset: Int) { header.replaceSubrange(offset..<offset + text.count, with: text) }
        func octal(_ value: Int, _ digits: Int) -> [UInt8] {
            let text = String(value, radix: 8)
            return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
        }
        put(Array(name.prefix(100)), at: 0)
        put(octal(mode, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(size ?? content.count, 11), at: 124)
        put(octal(0, 11), at: 136)
        put([kind.rawValue.asciiValue ?? 0], at: 156)
        put(Array(link.utf8), at: 157)
        put(Array("ustar\u{0}00".utf8), at: 257)
        put(Array(repeating: UInt8(ascii: " "), count: 8), at: 148)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6) + [0, UInt8(ascii: " ")], at: 148)
        bytes += header + content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    mutating func add(_ name: String, _ content: [UInt8] = [], kind: Kind = .file, mode: Int = 0o644, link: String = "")
    {
        add(Array(name.utf8), content, kind: kind, mode: mode, link: link)
    }

    /// A pax header for the entry that follows.
    mutating func addPax(_ records: [(String, String)]) {
        var content = ""
        for (key, value) in records {
            // The length counts itself.
            var length = key.utf8.count + value.utf8.count + 3
            while "\(length)".utf8.count + key.utf8.count + value.utf8.count + 3 != length { length += 1 }
            content += "\(length) \(key)=\(value)\n"
        }
        add(Array("pax".utf8), Array(content.utf8), kind: .pax)
    }

    var archive: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}

/// qcow2 of version 3 (QEMU, docs/interop/qcow2.txt).
enum QcowFixture {
    /// An empty image of clusters of 4 KiB: header, refcount table, refcount block, and the L1 table. Such a table of one
    /// cluster reaches over 1 GiB.
    static func image(virtualSize: UInt64 = 1 << 30) -> [UInt8] {
        func big(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
        let clusters = 3 + Int((virtualSize + (1 << 30) - 1) >> 30)
        var bytes = header(virtualSize: virtualSize)
        bytes.replaceSubrange(20..<24, with: big(UInt32(12)))
        bytes.replaceSubrange(36..<40, with: big(UInt32((virtualSize + (2 << 20) - 1) >> 21)))
        bytes.replaceSubrange(40..<48, with: big(UInt64(3 << 12)))
        bytes.replaceSubrange(48..<56, with: big(UInt64(1 << 12)))
        bytes += [UInt8](repeating: 0, count: clusters << 12 - bytes.count)
        bytes.replaceSubrange(1 << 12..<1 << 12 + 8, with: big(UInt64(2 << 12)))
        for index in 0..<clusters { bytes[2 << 12 + 2 * index + 1] = 1 }
        return bytes
    }

    /// A header, and nothing behind it.
    static func header(
        magic: UInt32 = 0x5146_49fb, version: UInt32 = 3, backing: UInt64 = 0, backingLength: UInt32 = 0,
        virtualSize: UInt64 = 1 << 30, incompatible: UInt64 = 0
    ) -> [UInt8] {
        func big(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
        return big(magic) + big(version) + big(backing) + big(backingLength) + big(UInt32(16)) + big(virtualSize)
            + big(UInt32(0)) + big(UInt32(1)) + big(UInt64(0x30000)) + big(UInt64(0x10000)) + big(UInt32(1))
            + big(UInt32(0))
            + big(UInt64(0)) + big(incompatible) + big(UInt64(0)) + big(UInt64(0)) + big(UInt32(4)) + big(UInt32(104))
            + [UInt8](repeating: 0, count: 408)
    }
}

/// A whole small box.
enum BoxFixture {
    static let metadata = #"{"provider":"libvirt","format":"qcow2","virtual_size":1}"#

    static func metadata(name: String, version: String, architecture: String = "amd64", extra: String = "") -> String {
        """
        {"provider":"libvirt","format":"qcow2","virtual_size":1,"wander":{"schema":1,"name":"\(name)",
        "version":"\(version)","architecture":"\(architecture)"\(extra)}}
        """
    }

    static func archive(_ metadata: String = metadata, disk: [UInt8] = QcowFixture.header()) -> [UInt8] {
        var tar = TarFixture()
        tar.add("metadata.json", Array(metadata.utf8))
        tar.add("box.img", disk)
        return tar.archive
    }
}
