/// Encodes the headers of a tar archive: ustar, with pax records (POSIX, "pax Interchange Format") where that has no
/// room, and GNU's sparse format 1.0 for files with holes, which GNU tar and libarchive read.
enum TarEncoder {
    static let blockSize = 512
    /// Two blocks of zeros (POSIX, "ustar Interchange Format").
    static let end = [UInt8](repeating: 0, count: 2 * blockSize)

    /// What ends up in an archive for one file, before its data.
    struct Entry {
        var name: String
        /// The file's size, in bytes, holes included.
        var size: UInt64
        /// The ranges with data of a sparse file; nil for a plain one.
        var extents: [Range<Int64>]? = nil
        /// Seconds since 1970.
        var time: UInt64
    }

    /// The entry's headers, and for a sparse file its map, which are followed by its data.
    static func header(_ entry: Entry) -> [UInt8] {
        guard let extents = entry.extents else {
            var records: [(String, String)] = []
            if entry.name.utf8.count > 100 { records.append(("path", entry.name)) }
            if entry.size >= 1 << 33 { records.append(("size", "\(entry.size)")) }
            return pax(records, entry) + ustar(entry.name, size: entry.size, kind: "0", time: entry.time)
        }
        let map = sparseMap(extents, size: Int64(clamping: entry.size))
        let stored = UInt64(map.count) + extents.reduce(0) { $0 + UInt64($1.count) }
        var records = [
            ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", entry.name),
            ("GNU.sparse.realsize", "\(entry.size)"),
        ]
        if stored >= 1 << 33 { records.append(("size", "\(stored)")) }
        let base = entry.name.split(separator: "/").last.map(String.init) ?? entry.name
        return pax(records, entry) + ustar("GNUSparseFile.0/\(base)", size: stored, kind: "0", time: entry.time) + map
    }

    /// Zeros that fill the last block of `count` bytes of data.
    static func padding(after count: UInt64) -> [UInt8] {
        [UInt8](repeating: 0, count: (blockSize - Int(count % UInt64(blockSize))) % blockSize)
    }

    /// "GNU tar manual", "Storing Sparse Files", PAX format, version 1.0. A file that ends in a hole has an empty last
    /// range.
    private static func sparseMap(_ extents: [Range<Int64>], size: Int64) -> [UInt8] {
        var extents = extents
        if extents.last?.upperBound != size { extents.append(size..<size) }
        let lines = ["\(extents.count)"] + extents.flatMap { ["\($0.lowerBound)", "\($0.count)"] }
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        return text + padding(after: UInt64(text.count))
    }

    private static func pax(_ records: [(key: String, value: String)], _ entry: Entry) -> [UInt8] {
        guard !records.isEmpty else { return [] }
        var text = ""
        for record in records {
            let rest = " \(record.key)=\(record.value)\n"
            // The length counts its own digits.
            var length = rest.utf8.count + 1
            while "\(length)".utf8.count + rest.utf8.count != length { length += 1 }
            text += "\(length)\(rest)"
        }
        let bytes = Array(text.utf8)
        let base = entry.name.split(separator: "/").last.map(String.init) ?? entry.name
        return ustar("PaxHeaders/\(base)", size: UInt64(bytes.count), kind: "x", time: entry.time) + bytes
            + padding(after: UInt64(bytes.count))
    }

    /// POSIX, "ustar Interchange Format".
    private static func ustar(_ name: String, size: UInt64, kind: Character, time: UInt64) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: blockSize)
        func put(_ bytes: some Collection<UInt8>, at offset: Int) {
            header.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
        func octal(_ value: UInt64, digits: Int) -> [UInt8] {
            let text = String(value, radix: 8)
            return Array((String(repeating: "0", count: max(0, digits - text.utf8.count)) + text).utf8)
        }
        put(Array(name.utf8.prefix(100)), at: 0)
        put(octal(0o644, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        // 11 digits hold 8 GiB; a larger size stands in a pax record, which counts.
        put(octal(size < 1 << 33 ? size : 0, digits: 11), at: 124)
        put(octal(time, digits: 11), at: 136)
        put([kind.asciiValue ?? 0], at: 156)
        put(Array("ustar\u{0}00".utf8), at: 257)
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
        put(octal(header.reduce(0) { $0 + UInt64($1) }, digits: 6) + [0], at: 148)
        return header
    }
}
