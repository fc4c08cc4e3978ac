/// What an archive records about its next entry where a header has no room (POSIX, "pax Interchange Format"): lines of
/// `LENGTH KEY=VALUE`.
public enum PaxRecords {
    public static func encode(_ records: [(key: String, value: String)]) -> [UInt8] {
        var text = ""
        for record in records {
            let rest = " \(record.key)=\(record.value)\n"
            // The length counts its own digits.
            var length = rest.utf8.count + 1
            while "\(length)".utf8.count + rest.utf8.count != length { length += 1 }
            text += "\(length)\(rest)"
        }
        return Array(text.utf8)
    }

    /// The records up to the first one that is damaged; a line without `=` is left out.
    public static func decode(_ bytes: some Collection<UInt8>) -> [(key: String, value: String)] {
        var records: [(key: String, value: String)] = []
        var rest = Array(bytes)[...]
        while let space = rest.firstIndex(of: 0x20),
            let count = Int(String(decoding: rest[..<space], as: UTF8.self)), count > 0, count <= rest.count,
            rest.startIndex + count > space + 1
        {
            let record = rest[(space + 1)..<(rest.startIndex + count)]
            rest = rest.dropFirst(count)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let value = record[(equals + 1)...].prefix { $0 != 0x0a }
            records.append((String(decoding: record[..<equals], as: UTF8.self), String(decoding: value, as: UTF8.self)))
        }
        return records
    }
}
