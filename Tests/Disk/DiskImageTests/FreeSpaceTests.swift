import DiskImage
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

/// Which blocks file systems do not use, against what e2fsprogs says.
@Suite struct FreeSpaceTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private static let tools = ["/usr/sbin", "/sbin", "/usr/bin"]
    private func tool(_ name: String) throws -> String {
        let found = Self.tools.map { "\($0)/\(name)" }.first { !FileSystem.isAbsent(FilePath($0)) }
        return try #require(found, "\(name) is not installed (e2fsprogs)")
    }

    struct Layout: CustomTestStringConvertible, Sendable {
        var blockSize: Int
        var features: String
        var offset: Int = 0
        var testDescription: String { "\(blockSize), \(features), at \(offset)" }
    }
    static let layouts = [
        Layout(blockSize: 4096, features: "64bit,metadata_csum"), Layout(blockSize: 1024, features: "^64bit,flex_bg"),
        Layout(blockSize: 1024, features: "64bit,^flex_bg,^has_journal"),
        Layout(blockSize: 4096, features: "64bit", offset: 1 << 20),
    ]

    private func little(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    /// A file system with a file that stays and one that was removed: both hold text that can be looked for.
    private func makeDisk(_ layout: Layout) throws -> FilePath {
        let size = 64 << 20
        let path = try folder.file("disk.raw", [])
        try OwnedDescriptor.open(path, .readWrite).truncate(to: Int64(size))
        if layout.offset > 0 {
            // One partition of type Linux from `offset` to the end.
            var record = [UInt8](repeating: 0, count: 512)
            let entry: [UInt8] = [0, 0, 0, 0, 0x83, 0, 0, 0]
            record.replaceSubrange(
                446..<462, with: entry + little(layout.offset / 512) + little((size - layout.offset) / 512))
            record.replaceSubrange(510..<512, with: [0x55, 0xaa])
            let file = try OwnedDescriptor.open(path, .readWrite)
            try file.writeAll(record)
        }
        try Qemu.run([
            try tool("mke2fs"), "-q", "-F", "-t", "ext4", "-b", "\(layout.blockSize)", "-O", layout.features, "-E",
            "offset=\(layout.offset)", path.string, "\((size - layout.offset) / 1024)k",
        ])
        let text = Array(String(repeating: "here and there\n", count: 20_000).utf8)
        _ = try folder.file("kept", Array("KEPT".utf8) + text)
        _ = try folder.file("gone", Array("GONE".utf8) + text)
        for command in ["write \(folder("gone")) gone", "write \(folder("kept")) kept", "rm gone"] {
            try Qemu.run([
                try tool("debugfs"), "-w", "-R", command,
                "\(path)\(layout.offset > 0 ? "?offset=\(layout.offset)" : "")",
            ])
        }
        return path
    }

    private func holds(_ bytes: [UInt8], _ text: String) -> Bool { bytes.contains(Array(text.utf8)) }

    @Test(
        "a removed file's bytes are gone, everything else is as it was, and the file system is sound",
        arguments: layouts)
    func removed(_ layout: Layout) throws {
        let path = try makeDisk(layout)
        let raw = try DiskImage.open([DiskLayer(path: path, format: .raw)], access: .readOnly)
        #expect(holds(try FileSystem.read(path), "GONEhere"))
        let clean = try DiskWithoutFreeSpace(raw)
        try DiskImage.flattenRaw(clean, to: folder("clean.raw"))
        let bytes = try folder.bytes("clean.raw")
        #expect(!holds(bytes, "GONEhere") && holds(bytes, "KEPThere"))
        let place = "\(folder("clean.raw"))\(layout.offset > 0 ? "?offset=\(layout.offset)" : "")"
        try Qemu.run([try tool("e2fsck"), "-fn", place])
        try Qemu.run([try tool("debugfs"), "-R", "dump kept \(folder("back"))", place])
        #expect(try folder.bytes("back") == folder.bytes("kept"))
        // As many free blocks as the file system itself counts, but for groups that were never used.
        let free = try FreeSpace(of: raw).ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
        let said = try Qemu.run([
            try tool("dumpe2fs"), "-h", "\(path)\(layout.offset > 0 ? "?offset=\(layout.offset)" : "")",
        ])
        let line = try #require(said.split(separator: "\n").first { $0.hasPrefix("Free blocks:") })
        let blocks = try #require(UInt64(line.split(separator: " ").last ?? ""))
        #expect(free > 0 && free <= blocks * UInt64(layout.blockSize))
        #expect(try FreeSpace(of: raw).isWhole)
    }

    @Test("extents and reads of any size and place agree with each other")
    func agreement() throws {
        let path = try makeDisk(Self.layouts[1])
        let raw = try DiskImage.open([DiskLayer(path: path, format: .raw)], access: .readOnly)
        let clean = try DiskWithoutFreeSpace(raw)
        let whole = try clean.read(count: Int(clean.virtualSize), at: 0)
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<100 {
            let offset = UInt64.random(in: 0..<clean.virtualSize, using: &generator)
            let count = Int(min(UInt64.random(in: 1...200_000, using: &generator), clean.virtualSize - offset))
            #expect(try clean.read(count: count, at: offset) == Array(whole[Int(offset)..<Int(offset) + count]))
            let extent = try clean.extent(at: offset)
            #expect(extent.offset == offset && extent.count > 0)
            if extent.kind == .zero {
                #expect(whole[Int(offset)..<Int(offset + min(extent.count, 50_000))].allSatisfy { $0 == 0 })
            }
        }
    }

    @Test("a disk that is changed anywhere in its first blocks is read without harm")
    func hostile() throws {
        var bytes = try OwnedDescriptor.open(try makeDisk(Self.layouts[3]), .readOnly).read(upTo: 5 << 18)
        let original = bytes
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<60 {
            bytes = original
            for _ in 0..<4 {
                let base = [0, 440, 510, (1 << 20) + 1024, (1 << 20) + 4096].randomElement(using: &generator) ?? 0
                bytes[base + Int.random(in: 0..<128, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let path = try folder.file("changed.raw", bytes)
            try OwnedDescriptor.open(path, .readWrite).truncate(to: 64 << 20)
            let disk = try DiskImage.open([DiskLayer(path: path, format: .raw)], access: .readOnly)
            let free = try FreeSpace(of: disk).ranges
            #expect(free.allSatisfy { $0.upperBound <= disk.virtualSize })
        }
    }

    @Test(
        "an old super block below something that came later says nothing",
        arguments: [
            (4096, [0xfc, 0x4e, 0x2b, 0xa9]), (0, [0xfc, 0x4e, 0x2b, 0xa9]),
            ((64 << 20) - 65536, [0xfc, 0x4e, 0x2b, 0xa9]),
            ((64 << 20) - 8192, [0xfc, 0x4e, 0x2b, 0xa9]),
            (4120, [0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca, 0x82, 0x65, 0xf5, 0x7f, 0x48, 0xba, 0x6d, 0x81]),
            (131_072 + 5 * 1024, [0x0c, 0xb1, 0xba, 0, 0, 0, 0, 0]),
            (131_072 + 8 * 4096, [0, 0, 0, 0, 0, 0xba, 0xb1, 0x0c]), (512, Array("LABELONE".utf8)),
            (65600, Array("_BHRfS_M".utf8)), (0, Array("LUKS".utf8)),
        ] as [(Int, [UInt8])])
    func laterUse(offset: Int, mark: [UInt8]) throws {
        let path = try makeDisk(Self.layouts[0])
        func free() throws -> FreeSpace {
            try FreeSpace(of: try DiskImage.open([DiskLayer(path: path, format: .raw)], access: .readOnly))
        }
        #expect(try !free().ranges.isEmpty)
        let file = try OwnedDescriptor.open(path, .readWrite)
        try mark.withUnsafeBytes { try file.writeAll($0, at: Int64(offset)) }
        let after = try free()
        #expect(after.ranges.isEmpty && !after.isWhole)
    }

    @Test("what is no file system that we know has no free space", arguments: [0, 4096, 65536, 1 << 20])
    func unknown(size: Int) throws {
        var generator = SeededGenerator(seed: 5)
        let path = try folder.file("noise.raw", size == 0 ? [0] : generator.bytes(size))
        let disk = try DiskImage.open([DiskLayer(path: path, format: .raw)], access: .readOnly)
        #expect(try FreeSpace(of: disk).ranges.isEmpty)
    }

    @Test("where one file system is not understood, not all free space is known")
    func partlyKnown() throws {
        let path = try makeDisk(Self.layouts[3])
        // A second partition behind the first.
        let size = 64 << 20
        var bytes = try FileSystem.read(path, limit: size)
        bytes.replaceSubrange(462..<478, with: [0, 0, 0, 0, 0x83, 0, 0, 0] + little(size / 512) + little(32768))
        bytes += Array("XFSB".utf8) + [UInt8](repeating: 0, count: (16 << 20) - 4)
        try OwnedDescriptor.open(path, .writeOnly).writeAll(bytes)
        let free = try FreeSpace(of: DiskImage.open([DiskLayer(path: path, format: .raw)], access: .readOnly))
        #expect(!free.isWhole && !free.ranges.isEmpty)
    }
}
