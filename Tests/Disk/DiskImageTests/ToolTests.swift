import DiskImage
import JSON
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

/// What the tools say and make, against what qemu-img says of the same files.
@Suite struct ToolTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func json(_ text: String) throws -> JSONValue { try JSONParser.parse(text) }

    /// A disk with everything in it: a compressed image, an overlay with data, zeroes, discards, an odd size.
    private func makeChain(clusterSize: Int = 4096, compression: String = "zlib") throws -> [DiskLayer] {
        var generator = SeededGenerator(seed: UInt64(clusterSize))
        var content: [UInt8] = []
        while content.count < 1_500_000 { content += generator.bytes(50_000) }
        content += [UInt8](repeating: 0, count: 512 - content.count % 512)
        let raw = try folder.file("base.raw", content)
        try Qemu.img(
            "convert", "-c", "-f", "raw", "-O", "qcow2", "-o",
            "cluster_size=\(clusterSize),compression_type=\(compression)",
            raw.string, folder("base.qcow2").string)
        try Qemu.img(
            "create", "-f", "qcow2", "-o", "cluster_size=\(clusterSize)", "-b", "base.qcow2", "-F", "qcow2",
            folder("top.qcow2").string, "3M")
        try Qemu.io(
            folder("top.qcow2"),
            ["write -P 7 100k 300k", "write -z 600k 100k", "discard 200k 64k", "write -P 9 2900k 10k"])
        return try DiskImage.layers(of: DiskLayer(path: folder("top.qcow2"), format: .qcow2), trust: .sameFolder)
    }

    struct Output: CustomTestStringConvertible, Sendable {
        var clusterBits: UInt32
        var compression: ImageCompression
        var refcountOrder: UInt32 = 4
        var testDescription: String { "2^\(clusterBits), \(compression), refcounts 2^\(refcountOrder)" }
    }
    static let outputs =
        [9, 12, 16, 21].flatMap { bits in
            ImageCompression.allCases.map { Output(clusterBits: bits, compression: $0) }
        } + [0, 1, 3, 5, 6].map { Output(clusterBits: 9, compression: .none, refcountOrder: $0) }

    @Test("flattens a chain into one sound image with the same content, the same bytes each time", arguments: outputs)
    func flatten(_ output: Output) throws {
        let source = try DiskImage.open(try makeChain(), access: .readOnly)
        var options = QcowOptions()
        options.clusterBits = output.clusterBits
        options.refcountOrder = output.refcountOrder
        for name in ["flat.qcow2", "again.qcow2"] {
            try DiskImage.flatten(source, to: folder(name), options: options, compression: output.compression)
        }
        try Qemu.check(folder("flat.qcow2"))
        if output.clusterBits == 16, output.compression == .none {
            // Into a file without a name.
            let file = try UnnamedFile(in: folder.path, name: "flat")
            try DiskImage.flatten(source, into: file.path)
            #expect(try FileSystem.read(file.path) == folder.bytes("flat.qcow2"))
            #expect(throws: DiskImageError.self) { try DiskImage.flatten(source, into: file.path) }
            withExtendedLifetime(file) {}
        }
        try Qemu.img("compare", "-f", "qcow2", "-F", "qcow2", folder("top.qcow2").string, folder("flat.qcow2").string)
        #expect(try folder.bytes("flat.qcow2") == folder.bytes("again.qcow2"))
        let layer = DiskLayer(path: folder("flat.qcow2"), format: .qcow2)
        #expect(try DiskImage.check(layer).isSound)
        #expect(try DiskImage.info(layer).qcow2?.backingName == nil)
        let flat = try DiskImage.open([layer], access: .readOnly)
        #expect(try DiskImage.compare(source, flat).isEqual)
    }

    @Test("converts to raw with holes")
    func raw() throws {
        let source = try DiskImage.open(try makeChain(), access: .readOnly)
        try DiskImage.flattenRaw(source, to: folder("flat.raw"))
        try Qemu.img("compare", "-f", "qcow2", "-F", "raw", folder("top.qcow2").string, folder("flat.raw").string)
        let info = try DiskImage.info(DiskLayer(path: folder("flat.raw"), format: .raw))
        #expect(info.fileSize == 3 << 20)
        #expect(info.allocatedSize < 2 << 20)
        #expect(throws: DiskImageError.alreadyExists(folder("flat.raw"))) {
            try DiskImage.flattenRaw(source, to: folder("flat.raw"))
        }
        #expect(throws: DiskImageError.interrupted) {
            try DiskImage.flattenRaw(source, to: folder("x.raw")) { (_, _) throws(DiskImageError) in throw .interrupted
            }
        }
        #expect(try FileSystem.list(folder.path).allSatisfy { !$0.hasPrefix("x.raw") })
    }

    @Test("maps the disk as qemu-img does", arguments: [512, 4096, 65536])
    func map(clusterSize: Int) throws {
        let disk = try DiskImage.open(try makeChain(clusterSize: clusterSize), access: .readOnly)
        let theirs = try json(try Qemu.img("map", "--output=json", "-f", "qcow2", folder("top.qcow2").string))
        for entry in theirs.arrayValue ?? [] {
            let start = UInt64(entry["start"]?.integerValue ?? -1)
            let end = start + UInt64(entry["length"]?.integerValue ?? 0)
            let isZero = entry["zero"]?.boolValue ?? false
            var offset = start
            while offset < end {
                let extent = try disk.extent(at: offset)
                if isZero { #expect(extent.kind == .zero, "at \(offset)") }
                if extent.kind == .zero {
                    // Also where only the file's own holes show it.
                    #expect(try disk.read(count: Int(extent.count), at: offset).allSatisfy { $0 == 0 }, "at \(offset)")
                } else {
                    #expect(extent.depth.map(Int64.init) == entry["depth"]?.integerValue, "at \(offset)")
                    if let place = entry["offset"]?.integerValue {
                        #expect(extent.fileOffset == UInt64(place) + offset - start, "at \(offset)")
                    }
                }
                offset += extent.count
            }
        }
        let allocated = try disk.allocatedExtents()
        #expect(!allocated.isEmpty)
        #expect(zip(allocated, allocated.dropFirst()).allSatisfy { $0.offset + $0.count <= $1.offset })
    }

    @Test("finds the first difference, and takes a longer tail of zeroes for equal")
    func compare() throws {
        var content = [UInt8](repeating: 5, count: 3_000_000)
        let left = try folder.file("left.raw", content)
        content[2_345_678] = 6
        let right = try folder.file("right.raw", content + [UInt8](repeating: 0, count: 100_000))
        func open(_ path: FilePath) throws -> any BlockStorage {
            try DiskImage.open([DiskLayer(path: path, format: .raw)], access: .readOnly)
        }
        #expect(try DiskImage.compare(open(left), open(right)).firstDifference == 2_345_678)
        content[2_345_678] = 5
        let longer = try folder.file("longer.raw", content + [UInt8](repeating: 0, count: 100_000))
        #expect(try DiskImage.compare(open(left), open(longer)).isEqual)
        let other = try folder.file("other.raw", content + [UInt8](repeating: 0, count: 99_999) + [1])
        #expect(try DiskImage.compare(open(left), open(other)).firstDifference == 3_099_999)
    }

    @Test("says of images what qemu-img says")
    func info() throws {
        for (options, bits) in [
            ("compat=0.10", 16), ("refcount_bits=1", 1), ("lazy_refcounts=on,compression_type=zstd", 16),
        ] {
            let path = folder("\(options).qcow2")
            try Qemu.img("create", "-f", "qcow2", "-o", options, path.string, "12345k")
            let theirs = try json(try Qemu.img("info", "--output=json", path.string))
            let info = try DiskImage.info(DiskLayer(path: path, format: .qcow2))
            #expect(Int64(info.virtualSize) == theirs["virtual-size"]?.integerValue)
            #expect(info.qcow2?.clusterSize == 65536)
            #expect(info.qcow2?.refcountBits == bits)
            let data = theirs["format-specific"]?["data"]
            #expect(info.qcow2?.hasLazyRefcounts == data?["lazy-refcounts"]?.boolValue ?? false)
            #expect((info.qcow2?.version == 2 ? "0.10" : "1.1") == data?["compat"]?.stringValue)
        }
    }

    @Test("repairs refcounts of every width as well as qemu-img", arguments: [1, 2, 4, 8, 16, 32, 64])
    func repair(refcountBits: Int) throws {
        let path = folder("disk.qcow2")
        let layer = DiskLayer(path: path, format: .qcow2)
        try Qemu.img(
            "create", "-f", "qcow2", "-o", "cluster_size=512,refcount_bits=\(refcountBits)", path.string, "4M")
        try Qemu.io(path, ["write -P 3 0 200k", "write -P 4 1M 300k"])
        var bytes = try folder.bytes("disk.qcow2")
        let truth = try DiskImage.open([layer], access: .readOnly).read(count: 4 << 20, at: 0)
        // The first refcount block gets other counts: some too low, some too high.
        let table = bytes[48..<56].reduce(0) { $0 << 8 | Int($1) }
        let block = bytes[table..<(table + 8)].reduce(0) { $0 << 8 | Int($1) }
        for index in 0..<60 { bytes[block + index] ^= index % 2 == 0 ? 0xff : 1 }
        _ = try folder.file("disk.qcow2", bytes)
        let before = try DiskImage.check(layer)
        #expect(before.refcountsTooLow + before.leaks > 0)
        #expect(before.corruptions == 0)
        let result = try DiskImage.repair(layer)
        #expect(result.before == before)
        #expect(result.after.isSound)
        try Qemu.check(path)
        try Qemu.compare(path, with: truth, in: folder)
    }

    @Test("leaves an image alone whose tables contradict each other")
    func unrepairable() throws {
        let path = folder("disk.qcow2")
        let layer = DiskLayer(path: path, format: .qcow2)
        try Qemu.img("create", "-f", "qcow2", path.string, "4M")
        try Qemu.io(path, ["write -P 3 0 128k"])
        var bytes = try folder.bytes("disk.qcow2")
        let level1 = bytes[40..<48].reduce(0) { $0 << 8 | Int($1) }
        let table = bytes[(level1 + 1)..<(level1 + 8)].reduce(0) { $0 << 8 | Int($1) }
        bytes.replaceSubrange((table + 8)..<(table + 16), with: Array(bytes[table..<(table + 8)]))
        _ = try folder.file("disk.qcow2", bytes)
        let result = try DiskImage.repair(layer)
        #expect(result.after.corruptions == 1)
        #expect(result.after.findings.contains { $0.problem == .overlap && $0.offset == UInt64(table + 8) })
        #expect(try folder.bytes("disk.qcow2") == bytes)
    }

    @Test("follows no backing name out of the image's folder")
    func hostileBackingNames() throws {
        func layers(_ name: String, _ trust: BackingTrust = .sameFolder) throws -> [DiskLayer] {
            let path = folder("hostile.qcow2")
            try FileSystem.remove(path)
            try DiskImage.createOverlay(at: path, backing: FilePath(name), backingFormat: .raw, virtualSize: 1 << 20)
            return try DiskImage.layers(of: DiskLayer(path: path, format: .qcow2), trust: trust)
        }
        for name in ["/etc/shadow", "../base.raw", "a/../../b", "sub/base.raw", ".."] {
            #expect(throws: DiskImageError.backingOutsideFolder(name: name)) { _ = try layers(name) }
        }
        for name in ["nbd:unix:/run/x", "json:{}", "file:/etc/shadow"] {
            #expect(throws: DiskImageError.backingHasProtocol(name: name)) { _ = try layers(name, .anywhere) }
        }
        #expect(try layers("base.raw").map(\.path) == [folder("hostile.qcow2"), folder("base.raw")])
        #expect(try layers("/etc/shadow", .anywhere).last?.path == "/etc/shadow")
        let loop = folder("loop.qcow2")
        try DiskImage.createOverlay(at: loop, backing: "loop.qcow2", backingFormat: .qcow2, virtualSize: 1 << 20)
        #expect(throws: DiskImageError.chainTooDeep(limit: 32)) {
            _ = try DiskImage.layers(of: DiskLayer(path: loop, format: .qcow2), trust: .sameFolder)
        }
    }
}
