/// Reads the data types of RFC 4251, section 5. Every read is checked: nil at the end of the bytes.
struct WireReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(bytes) }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func integer() -> UInt32? {
        guard rest.count >= 4 else { return nil }
        let value = rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        rest.removeFirst(4)
        return value
    }

    mutating func string() -> [UInt8]? {
        guard let count = integer(), count <= rest.count else { return nil }
        let bytes = Array(rest.prefix(Int(count)))
        rest.removeFirst(Int(count))
        return bytes
    }

    mutating func text() -> String? { string().map { String(decoding: $0, as: UTF8.self) } }

    /// A positive `mpint` without its sign byte.
    mutating func magnitude() -> [UInt8]? { string().map { Array($0.drop { $0 == 0 }) } }

    mutating func skip(_ prefix: [UInt8]) -> Bool {
        guard rest.starts(with: prefix) else { return false }
        rest.removeFirst(prefix.count)
        return true
    }
}

/// Builds the data types of RFC 4251, section 5.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func integer(_ value: UInt32) {
        bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
    }

    mutating func string(_ value: some Collection<UInt8>) {
        integer(UInt32(truncatingIfNeeded: value.count))
        bytes += value
    }

    mutating func string(_ text: String) { string(Array(text.utf8)) }

    /// A positive `mpint`: a zero byte in front where the first bit would read as a sign.
    mutating func magnitude(_ value: [UInt8]) {
        let digits = Array(value.drop { $0 == 0 })
        string((digits.first ?? 0) >= 0x80 ? [0] + digits : digits)
    }

    mutating func raw(_ value: some Sequence<UInt8>) { bytes += value }
}
