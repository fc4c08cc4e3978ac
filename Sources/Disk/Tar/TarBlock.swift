/// One block of 512 bytes: what an archive has before each entry, with fields at fixed places (POSIX, "ustar
/// Interchange Format"). It is only a value: long names, and what to believe of an entry, are up to those who write and
/// read archives.
public struct TarBlock: Hashable, Sendable {
    public static let byteCount = 512
    /// What ends an archive: two blocks of zeros.
    public static let end = [UInt8](repeating: 0, count: 2 * byteCount)

    /// Where a value is in a block.
    public struct Field: Hashable, Sendable {
        let offset: Int
        let count: Int

        /// - Precondition: The field is in a block.
        public init(at offset: Int, count: Int) {
            precondition(offset >= 0 && count >= 0 && offset + count <= TarBlock.byteCount)
            self.offset = offset
            self.count = count
        }

        public static let name = Field(at: 0, count: 100)
        public static let permissions = Field(at: 100, count: 8)
        public static let user = Field(at: 108, count: 8)
        public static let group = Field(at: 116, count: 8)
        /// The size of what follows, in bytes.
        public static let size = Field(at: 124, count: 12)
        /// Seconds since 1970.
        public static let modified = Field(at: 136, count: 12)
        static let checksum = Field(at: 148, count: 8)
        public static let kind = Field(at: 156, count: 1)
        public static let link = Field(at: 157, count: 100)
        /// The magic, with the version that follows it.
        public static let magic = Field(at: 257, count: 8)
        /// The path before the name, without the slash.
        public static let prefix = Field(at: 345, count: 155)

        var range: Range<Int> { offset..<offset + count }
    }

    public private(set) var bytes = [UInt8](repeating: 0, count: byteCount)

    /// All zeros.
    public init() {}

    /// nil if the count is not that of a block.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Array(bytes)
    }

    /// How many zeros fill the last block of `count` bytes of data.
    public static func paddingCount(after count: some BinaryInteger) -> Int {
        (byteCount - Int(count % numericCast(byteCount))) % byteCount
    }

    /// Zeros that fill the last block of `count` bytes of data.
    public static func padding(after count: some BinaryInteger) -> [UInt8] {
        [UInt8](repeating: 0, count: paddingCount(after: count))
    }
}

// Writing.
extension TarBlock {
    /// Puts in as much of the text as there is room for.
    public mutating func put(_ text: some Sequence<UInt8>, in field: Field) {
        for (index, byte) in text.prefix(field.count).enumerated() { bytes[field.offset + index] = byte }
    }

    /// Puts in a number as octal digits with a zero byte after them; a negative number counts as 0. A number without
    /// room, such as the size of files from 8 GiB on, takes GNU's binary form, which most tars read.
    public mutating func put(_ number: Int64, in field: Field) {
        let digits = String(max(0, number), radix: 8)
        if digits.utf8.count < field.count {
            put((String(repeating: "0", count: field.count - 1 - digits.utf8.count) + digits).utf8, in: field)
        } else {
            for index in 0..<min(8, field.count) {
                bytes[field.offset + field.count - 1 - index] = UInt8(truncatingIfNeeded: number >> Int64(8 * index))
            }
            bytes[field.offset] = 0x80
        }
    }

    /// Puts in the checksum of everything else. This must be the last change.
    public mutating func seal() {
        let sum = checksum
        put([UInt8](repeating: 0x20, count: 8), in: .checksum)
        put(sum, in: Field(at: Field.checksum.offset, count: 7))
        bytes[Field.checksum.offset + 6] = 0
    }
}

// Reading. Whoever wrote the block is not trusted.
extension TarBlock {
    /// Whether it is one of those that end an archive.
    public var isZero: Bool { bytes.allSatisfy { $0 == 0 } }

    public var isSealed: Bool { number(.checksum) == checksum }

    /// The bytes' sum, with spaces where it is written itself.
    private var checksum: Int64 {
        bytes.indices.reduce(0) { $0 + (Field.checksum.range.contains($1) ? 0x20 : Int64(bytes[$1])) }
    }

    /// Whether the block is POSIX's and has a ``Field/prefix``; GNU's tar has other things there.
    public var isPOSIX: Bool { bytes[Field.magic.range].starts(with: "ustar\0".utf8) }

    public var kind: UInt8 { bytes[Field.kind.offset] }

    /// The field's text up to a zero byte.
    public func text(_ field: Field) -> String {
        String(decoding: bytes[field.range].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The field's number, in octal digits or GNU's binary form; 0 without any digits; nil if it is negative or too
    /// large.
    public func number(_ field: Field) -> Int64? {
        let field = bytes[field.range]
        if let first = field.first, first & 0x80 != 0 {
            guard first == 0x80, field.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
            let value = field.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return field.count >= 12 ? Int64(exactly: value) : nil
        }
        let digits = field.drop { $0 == 0x20 }.prefix { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
        return digits.isEmpty ? 0 : Int64(String(decoding: digits, as: UTF8.self), radix: 8)
    }
}
