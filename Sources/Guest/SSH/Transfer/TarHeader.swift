import LinuxSystem
import Tar

/// The header of an entry in an archive for a guest: GNU's form, with its long names, which every tar reads.
enum TarHeader {
    /// - Parameters:
    ///   - size: The size of what follows, in bytes.
    ///   - change: Puts more into the block, before its checksum is made.
    static func append(
        _ name: [UInt8], _ status: FileStatus, _ owner: (user: UInt32, group: UInt32), type: Character, size: Int64 = 0,
        link: [UInt8] = [], to bytes: inout [UInt8], change: (inout TarBlock) -> Void = { _ in }
    ) {
        for (text, kind) in [(link, Character("K")), (name, Character("L"))] where text.count > 100 {
            let content = text + [0]
            var block = block("././@LongLink".utf8, kind, size: Int64(content.count))
            block.seal()
            bytes += block.bytes + content + TarBlock.padding(after: content.count)
        }
        var block = block(name, type, size: size)
        block.put(Int64(status.permissions), in: .permissions)
        block.put(Int64(owner.user), in: .user)
        block.put(Int64(owner.group), in: .group)
        block.put(status.modified, in: .modified)
        block.put(link, in: .link)
        change(&block)
        block.seal()
        bytes += block.bytes
    }

    private static func block(_ name: some Sequence<UInt8>, _ type: Character, size: Int64) -> TarBlock {
        var block = TarBlock()
        block.put(name, in: .name)
        for field in [TarBlock.Field.permissions, .user, .group, .modified] { block.put(0, in: field) }
        block.put(size, in: .size)
        block.put(String(type).utf8, in: .kind)
        block.put("ustar  \0".utf8, in: .magic)
        return block
    }
}
