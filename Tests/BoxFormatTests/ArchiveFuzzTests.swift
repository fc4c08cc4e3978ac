import LinuxSystem
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import BoxFormat

/// Damaged archives by the hundred, from seeds, so that a failure can be repeated. Whatever comes, the store either
/// takes the box whole or refuses it with an error for people, and nothing stays or appears elsewhere.
@Suite struct ArchiveFuzzTests {
    private static func seeds(_ folder: TemporaryFolder) throws -> [[UInt8]] {
        let extra = #","kernel":"vmlinuz","command_line":"quiet","user":"vagrant""#
        var tar = TarFixture()
        tar.add("metadata.json", Array(BoxFixture.metadata(name: "fuzz", version: "1", extra: extra).utf8))
        tar.add("box.img", QcowFixture.header())
        tar.add("vmlinuz", Array(repeating: 7, count: 700))
        tar.add("include/", kind: .directory)
        tar.addPax([("path", "include/long-name"), ("mtime", "1.5")])
        tar.add("include/short", [1])
        tar.addPax([
            ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "extra.img"),
            ("GNU.sparse.realsize", "1048576"),
        ])
        let map = Array("1\n4096\n512\n".utf8)
        tar.add(
            "GNUSparseFile.0/extra.img",
            map + [UInt8](repeating: 0, count: 512 - map.count) + [UInt8](repeating: 9, count: 512))
        var seeds = [tar.archive]
        _ = try folder.file("seed.tar", tar.archive)
        for (tool, suffix) in [("gzip", "gz"), ("zstd", "zst"), ("xz", "xz"), ("bzip2", "bz2")] {
            try folder.run(tool, "-qk", "seed.tar")
            seeds.append(try FileSystem.read(folder.path.appending("seed.tar.\(suffix)")))
        }
        return seeds
    }

    private static func mutate(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            guard bytes.count > 64 else { break }
            let position = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[position] = UInt8.random(in: 0...255, using: &generator)
            case 2: bytes.removeLast(Int.random(in: 1...min(512, bytes.count / 2), using: &generator))
            case 3: bytes.insert(contentsOf: bytes.prefix(512), at: position / 512 * 512)
            case 4:
                // A digit of a header: sizes, modes, kinds, and checksums with them.
                let block = position / 512 * 512
                let field = [100, 124, 135, 148, 156, 257].randomElement(using: &generator) ?? 124
                if block + field < bytes.count {
                    bytes[block + field] = UInt8.random(in: 0x30...0x39, using: &generator)
                }
            case 5:
                bytes.removeSubrange(position..<min(bytes.count, position + Int.random(in: 1...64, using: &generator)))
            default: Self.repairChecksums(&bytes)
            }
        }
        if Bool.random(using: &generator) { repairChecksums(&bytes) }
        return bytes
    }

    /// Gives every header the checksum that it should have, so that damage behind it is looked at.
    private static func repairChecksums(_ bytes: inout [UInt8]) {
        for block in stride(from: 0, to: bytes.count - 511, by: 512)
        where bytes[(block + 257)..<(block + 262)].elementsEqual("ustar".utf8) {
            bytes.replaceSubrange((block + 148)..<(block + 156), with: [UInt8](repeating: 0x20, count: 8))
            let sum = bytes[block..<(block + 512)].reduce(0) { $0 + Int($1) }
            let digits = String(sum, radix: 8)
            let text = String(repeating: "0", count: max(0, 6 - digits.count)) + digits
            bytes.replaceSubrange((block + 148)..<(block + 155), with: Array(text.utf8) + [0])
        }
    }

    @Test("takes or refuses every damaged archive, and never leaves anything", arguments: 0..<4)
    func fuzz(seed: Int) throws {
        let folder = try TemporaryFolder()
        let store = BoxStore(root: folder.path.appending("store"))
        let seeds = try Self.seeds(folder)
        var generator = SeededGenerator(seed: UInt64(seed))
        var options = BoxStore.AddOptions()
        options.limits.unpackedBytes = 64 << 20
        var outcomes = (taken: 0, refused: 0)
        for _ in 0..<100 {
            let original = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
            let damaged = Self.mutate(original, &generator)
            let file = try folder.file("x.box", damaged)
            do {
                let box = try store.add(file, options).box
                try store.verify(box)
                #expect(try TemporaryFolder.tree(box.directory).allSatisfy { !$0.contains("..") })
                try store.remove(box.identity)
                outcomes.taken += 1
            } catch {
                #expect(error is any UserFacingError, "\(error)")
                outcomes.refused += 1
            }
            #expect(try FileSystem.list(store.root.appending("staging")).isEmpty)
            #expect(try FileSystem.list(store.root.appending("boxes")).isEmpty)
        }
        let names = try FileSystem.list(folder.path)
        #expect(names == ["seed.tar", "seed.tar.bz2", "seed.tar.gz", "seed.tar.xz", "seed.tar.zst", "store", "x.box"])
        #expect(outcomes.refused > 20, "\(outcomes)")
    }
}
