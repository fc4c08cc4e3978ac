import LinuxSystem

/// The blocks of 512 bytes that stand before each entry of an archive.
enum TarHeader {
    /// - Parameters:
    ///   - size: Of what follows, in bytes.
    ///   - change: Puts more into the block, before its checksum is made.
    static func append(
        _ name: [UInt8], _ status: FileStatus, _ owner: (user: UInt32, group: UInt32), type: Character, size: Int64 = 0,
        link: [UInt8] = [], to bytes: inout [UInt8], change: (inout Block) -> Void = { _ in }
    ) {
        for (text, kind) in [(link, Character("K")), (name, Character("L"))] where text.count > 100 {
            let content = text + [0]
            var block = Block()
            block.describe("././@LongLink".utf8, kind, size: Int64(content.count))
            bytes += block.finish() + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
        }
        var block = Block()
        block.describe(name, type, size: size)
        block.octal(Int64(status.permissions), 100, 8)
        block.octal(Int64(owner.user), 108, 8)
        block.octal(Int64(owner.group), 116, 8)
        block.octal(status.modified, 136, 12)
        block.put(link, 157, 100)
        change(&block)
        bytes += block.finish()
    }

    struct Block {
        private(set) var bytes = [UInt8](repeating: 0, count: 512)

        mutating func put(_ text: some Sequence<UInt8>, _ offset: Int, _ count: Int) {
            for (index, byte) in text.prefix(count).enumerated() { bytes[offset + index] = byte }
        }

        mutating func octal(_ value: Int64, _ offset: Int, _ count: Int) {
            let digits = String(max(0, value), radix: 8)
            if digits.count < count {
                put((String(repeating: "0", count: count - 1 - digits.count) + digits).utf8, offset, count)
            } else {
                // GNU's binary form, for files of 8 GiB and more.
                for index in 0..<min(8, count) {
                    bytes[offset + count - 1 - index] = UInt8(truncatingIfNeeded: value >> Int64(8 * index))
                }
                bytes[offset] = 0x80
            }
        }

        fileprivate mutating func describe(_ name: some Sequence<UInt8>, _ type: Character, size: Int64) {
            put(name, 0, 100)
            for (offset, count) in [(100, 8), (108, 8), (116, 8), (136, 12)] { octal(0, offset, count) }
            octal(size, 124, 12)
            put(String(type).utf8, 156, 1)
            put("ustar  \0".utf8, 257, 8)
        }

        /// With its checksum.
        fileprivate mutating func finish() -> [UInt8] {
            put([UInt8](repeating: 0x20, count: 8), 148, 8)
            octal(bytes.reduce(0) { $0 + Int64($1) }, 148, 7)
            bytes[155] = 0x20
            return bytes
        }
    }
}
