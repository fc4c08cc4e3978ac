/// A domain name (RFC 1035, section 3.1), in lower case.
struct DNSName: Hashable {
    private(set) var labels: [[UInt8]]

    init?(_ text: String) {
        let parts = text.lowercased().utf8.split(separator: UInt8(ascii: "."))
        labels = parts.map(Array.init)
        guard labels.allSatisfy({ $0.count <= 63 }), wireFormat.count <= 255 else { return nil }
    }

    /// Reads a name without compression, as questions have it.
    /// - Returns: nil if it is malformed; else the name and where it ends.
    static func parse(_ message: RawSpan, at start: Int) -> (name: DNSName, end: Int)? {
        var labels: [[UInt8]] = []
        var position = start
        while let length = message.uint8(position) {
            position += 1
            if length == 0 { return (DNSName(labels: labels), position) }
            // Longer ones are pointers; and a whole name has at most 255 bytes.
            guard length <= 63, position + Int(length) - start < 255 else { return nil }
            let label = message.copy(from: position, count: Int(length))
            guard label.count == Int(length) else { return nil }
            labels.append(label.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 })
            position += Int(length)
        }
        return nil
    }

    private init(labels: [[UInt8]]) { self.labels = labels }

    var wireFormat: [UInt8] { labels.flatMap { [UInt8($0.count)] + $0 } + [0] }

    func hasSuffix(_ suffix: DNSName) -> Bool { labels.suffix(suffix.labels.count) == suffix.labels[...] }
}
