import LinuxSystem
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Boot

/// Tells another thread that it is over.
private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}

@Suite struct KernelTests {
    private static let codecs: [(name: String, arguments: [String])] = [
        ("gzip", ["gzip", "-c"]), ("xz", ["xz", "-c", "--check=crc32", "--x86", "--lzma2"]),
        ("zstd", ["zstd", "-c"]), ("lz4", ["lz4", "-l", "-c"]),
    ]

    private func packed(_ bytes: [UInt8], with arguments: [String]) throws -> [UInt8] {
        let result = try ChildProcess.run(arguments, input: bytes, limit: 64 << 20)
        #expect(result.outcome.isSuccess, "\(String(decoding: result.error, as: UTF8.self))")
        return result.output
    }

    private func content(_ kernel: Kernel) -> [(address: UInt64, bytes: [UInt8])] {
        kernel.parts.map { part in
            let bytes = [UInt8](unsafeUninitializedCapacity: Int(part.count)) { buffer, count in
                count =
                    (try? kernel.file.descriptor.read(
                        into: UnsafeMutableRawBufferPointer(buffer), at: Int64(part.offset))) ?? 0
            }
            return (part.address, bytes)
        }
    }

    @Test("a kernel packed by any of the codecs is unpacked, and found in the cache the next time", arguments: codecs)
    func unpacking(codec: (name: String, arguments: [String])) throws {
        let folder = try TemporaryFolder()
        var code = [UInt8](repeating: 0x90, count: 5000)
        code += [UInt8](repeating: 0, count: 300_000) + [1, 2, 3]
        let elf = KernelFixture.elf(code: code)
        let file = try folder.file(
            "vmlinuz", KernelFixture.image(payload: packed(elf, with: codec.arguments), unpackedSize: elf.count))
        let cache = KernelCache(folder: folder.path.appending("cache"))
        for _ in 0..<2 {
            let kernel = try Kernel.open(file, cache: cache)
            #expect(kernel.entry == 16 << 20 && kernel.directEntry == 0x100_0850)
            #expect(kernel.extent == 16 << 20..<16 << 20 + UInt64(code.count))
            // Everything but the long run of zeros.
            var rebuilt = [UInt8](repeating: 0, count: code.count)
            let parts = content(kernel)
            #expect(parts.count == 2)
            for part in parts {
                let start = Int(part.address) - 16 << 20
                rebuilt.replaceSubrange(start..<start + part.bytes.count, with: part.bytes)
            }
            #expect(rebuilt == code)
        }
        #expect(try FileSystem.list(folder.path.appending("cache")).filter { $0.hasSuffix(".elf") }.count == 1)
    }

    @Test("a damaged cache is made again")
    func damagedCache() throws {
        let folder = try TemporaryFolder()
        let elf = KernelFixture.elf()
        let payload = try packed(elf, with: ["gzip", "-c"])
        let file = try folder.file("vmlinuz", KernelFixture.image(payload: payload, unpackedSize: elf.count))
        let cache = KernelCache(folder: folder.path.appending("cache"))
        _ = try Kernel.open(file, cache: cache)
        let name = try #require(try FileSystem.list(folder.path.appending("cache")).first)
        try AtomicFile.write([1, 2, 3], to: folder.path.appending("cache").appending(name))
        #expect(try Kernel.open(file, cache: cache).entry == 16 << 20)
    }

    @Test("an ELF kernel is taken as it is, and entered by its note where it has no setup header")
    func plainELF() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("vmlinux", KernelFixture.elf())
        let plan = try BootPlan(
            Kernel.open(file), initialRAMDisk: nil, commandLine: "a",
            platform: Platform(memory: 64 << 20, processors: 1))
        #expect(plan.entry.mode == .protected && plan.entry.instructionPointer == 0x100_0850)
    }

    @Test(
        "kernels that cannot be started are told apart from files that are none", arguments: [0x20b, 0x20f] as [UInt16])
    func refused(version: UInt16) throws {
        let folder = try TemporaryFolder()
        let old = try folder.file(
            "old",
            KernelFixture.image(payload: [1, 2, 3, 4, 5, 6, 7, 8, 9], unpackedSize: 100, version: version, flags: 0))
        #expect(throws: BootError.self) { try Kernel.open(old) }
        let text = try folder.file("text", Array("hello".utf8))
        #expect(throws: BootError.notAKernel(text)) { try Kernel.open(text) }
    }

    @Test("a payload that lies about its size, or does not unpack, is refused", arguments: [0, 1, 1 << 29 + 1])
    func lyingSize(size: Int) throws {
        let folder = try TemporaryFolder()
        let elf = KernelFixture.elf()
        for codec in Self.codecs {
            let payload = try packed(elf, with: codec.arguments)
            let file = try folder.file(
                codec.name, KernelFixture.image(payload: payload, unpackedSize: size == 1 ? elf.count + 1 : size))
            #expect(throws: BootError.self) { try Kernel.open(file) }
            var broken = payload
            broken[broken.count / 2] ^= 0xff
            broken.removeLast(3)
            let other = try folder.file(
                "\(codec.name)-broken", KernelFixture.image(payload: broken, unpackedSize: elf.count))
            #expect(throws: BootError.self) { try Kernel.open(other) }
        }
    }

    @Test("headers that name the same bytes again and again are refused before anything is written")
    func repeatedBytes() throws {
        let folder = try TemporaryFolder()
        let elf = KernelFixture.repeatedELF(byteCount: 1 << 20, headers: 64)
        let payload = try packed(elf, with: ["gzip", "-c"])
        let cache = KernelCache(folder: folder.path.appending("cache"))
        for file in [
            try folder.file("vmlinuz", KernelFixture.image(payload: payload, unpackedSize: elf.count)),
            try folder.file("vmlinux", elf),
        ] {
            #expect { try Kernel.open(file, cache: cache) } throws: {
                guard case .damagedKernel(_, let reason) = $0 as? BootError else { return false }
                return reason.contains("larger together than the file")
            }
        }
        #expect(try !FileSystem.exists(folder.path.appending("cache")))
    }

    @Test("a kernel that does not fit into the guest's memory is refused before anything is written")
    func tooLarge() throws {
        let folder = try TemporaryFolder()
        for (name, elf) in [
            ("code", KernelFixture.elf(code: [UInt8](repeating: 0x90, count: 2 << 20))),
            ("zeroes", KernelFixture.elf(memoryCount: 1 << 39)),
        ] {
            let payload = try packed(elf, with: ["gzip", "-c"])
            let file = try folder.file(name, KernelFixture.image(payload: payload, unpackedSize: elf.count))
            let cache = KernelCache(folder: folder.path.appending("cache"))
            #expect {
                try Kernel.open(file, cache: cache, memory: 17 << 20)
            } throws: {
                if case .notEnoughMemory = $0 as? BootError { true } else { false }
            }
        }
        #expect(try !FileSystem.exists(folder.path.appending("cache")))
    }

    @Test("a file that is cut short while it is read is an error, and not the end of the process")
    func cutShort() throws {
        let folder = try TemporaryFolder()
        var generator = SystemRandomNumberGenerator()
        let elf = KernelFixture.elf(code: (0..<1 << 20).map { _ in UInt8.random(in: 1...255, using: &generator) })
        let image = KernelFixture.image(payload: try packed(elf, with: ["gzip", "-1", "-c"]), unpackedSize: elf.count)
        let file = try folder.file("vmlinuz", image)
        let isOver = Flag()
        let cutter = try Thread(name: "cutter", stackSize: 256 << 10) {
            guard let descriptor = try? OwnedDescriptor.open(file, .readWrite) else { return }
            while !isOver.isSet {
                try? descriptor.truncate(to: 8192)
                try? image.withUnsafeBytes { try descriptor.writeAll($0, at: 0) }
            }
        }
        for _ in 0..<100 { _ = try? Kernel.open(file) }
        isOver.set()
        cutter.join()
        #expect(try Kernel.open(file).entry == 16 << 20)
    }

    @Test("no damage to a header makes it more than an error")
    func hostileHeaders() throws {
        let folder = try TemporaryFolder()
        let elf = KernelFixture.elf(code: [UInt8](repeating: 0x90, count: 64))
        let image = KernelFixture.image(payload: try packed(elf, with: ["gzip", "-c"]), unpackedSize: elf.count)
        var generator = SystemRandomNumberGenerator()
        for (name, original, limit) in [("elf", elf, 0x130), ("image", image, 0x270)] {
            for round in 0..<300 {
                var bytes = original
                for _ in 0..<Int.random(in: 1...8, using: &generator) {
                    let start = name == "image" ? 0x1f1 : 0
                    bytes[Int.random(in: start..<limit, using: &generator)] =
                        [0, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255)]
                        .randomElement(using: &generator) ?? 0
                }
                if round % 5 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
                let file = try folder.file(name, bytes)
                // It may succeed, and then its parts are inside the guest's memory.
                guard let kernel = try? Kernel.open(file),
                    let plan = try? BootPlan(
                        kernel, initialRAMDisk: nil, commandLine: "",
                        platform: Platform(memory: 64 << 20, processors: 1))
                else { continue }
                for write in plan.writes { #expect(write.address + write.count <= 64 << 20) }
            }
        }
    }
}
