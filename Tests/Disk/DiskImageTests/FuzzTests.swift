import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import DiskImage

/// Hostile bytes in every table. Nothing may trap, and what does open must behave like a disk.
///
/// Bounded here: 300 images. WANDER_FUZZ_SECONDS gives it that much time instead, WANDER_FUZZ_SEED another first seed;
/// a failure names its own.
@Suite struct FuzzTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private static func setting(_ name: String) -> UInt64? { environmentVariable(name).flatMap { UInt64($0) } }

    private func samples() throws -> [[UInt8]] {
        var result: [[UInt8]] = []
        let source = try folder.file("source.raw", (0..<120_000).map { UInt8(truncatingIfNeeded: $0 / 700) })
        let kinds = [
            ["-o", "cluster_size=512"], ["-o", "cluster_size=4096"], ["-c", "-o", "cluster_size=4096"],
            ["-c", "-o", "cluster_size=4096,compression_type=zstd"], ["-o", "cluster_size=1024,refcount_bits=1"],
            ["-o", "cluster_size=2048,compat=0.10"],
        ]
        for kind in kinds {
            try Qemu.run(
                ["qemu-img", "convert", "-f", "raw", "-O", "qcow2"] + kind + [source.string, folder("sample").string])
            result.append(try folder.bytes("sample"))
        }
        return result
    }

    /// Bytes that tables like to trip over.
    private func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            // Mostly the header and the first tables.
            let limit = Bool.random(using: &generator) ? min(112, bytes.count) : min(bytes.count, 24_000)
            var place = Int.random(in: 0..<limit, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[place] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &generator) ?? 0
            case 2:
                place &= ~7
                let value =
                    UInt64.random(in: 0...UInt64.max, using: &generator) >> UInt64.random(in: 0..<64, using: &generator)
                for index in 0..<8 where place + index < bytes.count {
                    bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * index))
                }
            case 3:
                // An entry somewhere else.
                place &= ~7
                let source = Int.random(in: 0..<limit, using: &generator) & ~7
                for index in 0..<8 where max(place, source) + index < bytes.count {
                    bytes[place + index] = bytes[source + index]
                }
            case 4: bytes.removeLast(Int.random(in: 0..<min(bytes.count - 1, 9000), using: &generator))
            default:
                for index in place..<min(bytes.count, place + 64) {
                    bytes[index] = UInt8.random(in: 0...255, using: &generator)
                }
            }
            if bytes.count < 200 { return }
        }
    }

    @Test("survives hostile headers and tables")
    func hostileBytes() throws {
        let samples = try samples()
        let end = Self.setting("WANDER_FUZZ_SECONDS").map {
            MonotonicClock.now.advanced(byMilliseconds: Int64(clamping: $0) * 1000)
        }
        let seed = Self.setting("WANDER_FUZZ_SEED") ?? 1
        var opened = 0
        var rounds: UInt64 = 0
        while end.map({ MonotonicClock.now < $0 }) ?? (rounds < 300) {
            let round = seed &+ rounds
            rounds += 1
            var generator = SeededGenerator(seed: round)
            var bytes = samples[Int(round % UInt64(samples.count))]
            mutate(&bytes, &generator)
            let layer = DiskLayer(path: try folder.file("fuzz.qcow2", bytes), format: .qcow2)
            let started = MonotonicClock.now
            _ = try? DiskImage.check(layer)
            if let disk = try? DiskImage.open([layer], access: .readOnly) {
                exercise(disk, &generator)
                #expect(throws: DiskImageError.self) { try disk.write([1], at: 0) }
            }
            if let disk = try? DiskImage.open([layer], access: .readWrite) {
                opened += 1
                exercise(disk, &generator)
                let size = disk.virtualSize
                let places = [0, size / 2, size - min(size, 5000)]
                for place in places where size > 0 {
                    let data = generator.bytes(Int(min(5000, size - place)))
                    if (try? disk.write(data, at: place)) != nil {
                        #expect(try disk.read(count: data.count, at: place) == data, "round \(round)")
                    }
                    try? disk.writeZeroes(at: place, count: min(3000, size - place), mayUnmap: true)
                    try? disk.flush()
                }
                // What was open for writing is sound afterwards, or refuses to be closed as such.
                if (try? disk.close()) != nil, disk.virtualSize > 0 {
                    #expect(try DiskImage.check(layer).hasOnlyRefcountFindings, "round \(round)")
                }
            }
            _ = try? DiskImage.repair(layer)
            #expect(MonotonicClock.now.milliseconds(since: started) < 20_000, "round \(round) took too long")
        }
        // The rounds would show nothing if everything were refused at once.
        #expect(opened > Int(rounds) / 20)
    }

    private func exercise(_ disk: any BlockStorage, _ generator: inout SeededGenerator) {
        let size = disk.virtualSize
        guard size > 0 else { return }
        var offset: UInt64 = 0
        for _ in 0..<20 where offset < size {
            _ = try? disk.read(count: Int(min(8192, size - offset)), at: offset)
            guard let extent = try? disk.extent(at: offset), extent.count > 0 else { break }
            offset += extent.count
        }
        for _ in 0..<10 {
            let place = UInt64.random(in: 0..<size, using: &generator)
            _ = try? disk.read(count: Int(min(4096, size - place)), at: place)
        }
        #expect(throws: DiskImageError.self) { _ = try disk.read(count: 2, at: size - 1) }
    }
}
