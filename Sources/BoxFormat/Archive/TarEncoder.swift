import Tar

/// Encodes the headers of a tar archive: ustar, with pax records (POSIX, "pax Interchange Format") where that has no
/// room, and GNU's sparse format 1.0 for files with holes, which GNU tar and libarchive read.
enum TarEncoder {
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

    /// "GNU tar manual", "Storing Sparse Files", PAX format, version 1.0. A file that ends in a hole has an empty last
    /// range.
    private static func sparseMap(_ extents: [Range<Int64>], size: Int64) -> [UInt8] {
        var extents = extents
        if extents.last?.upperBound != size { extents.append(size..<size) }
        let lines = ["\(extents.count)"] + extents.flatMap { ["\($0.lowerBound)", "\($0.count)"] }
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        return text + TarBlock.padding(after: text.count)
    }

    private static func pax(_ records: [(key: String, value: String)], _ entry: Entry) -> [UInt8] {
        guard !records.isEmpty else { return [] }
        let bytes = PaxRecords.encode(records)
        let base = entry.name.split(separator: "/").last.map(String.init) ?? entry.name
        return ustar("PaxHeaders/\(base)", size: UInt64(bytes.count), kind: "x", time: entry.time) + bytes
            + TarBlock.padding(after: bytes.count)
    }

    /// POSIX, "ustar Interchange Format".
    private static func ustar(_ name: String, size: UInt64, kind: Character, time: UInt64) -> [UInt8] {
        var block = TarBlock()
        block.put(name.utf8, in: .name)
        block.put(0o644, in: .permissions)
        block.put(0, in: .user)
        block.put(0, in: .group)
        // Octal digits hold 8 GiB; a larger size is in a pax record, which counts.
        block.put(size < 1 << 33 ? Int64(size) : 0, in: .size)
        block.put(Int64(clamping: time), in: .modified)
        block.put([kind.asciiValue ?? 0], in: .kind)
        block.put("ustar\u{0}00".utf8, in: .magic)
        block.seal()
        return block.bytes
    }
}
