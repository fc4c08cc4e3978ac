import LinuxSystem
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import DiskImage

/// Several queues at once, as a device with several has them.
@Suite struct ConcurrencyTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func makeDisk(clusterSize: Int, size: Int) throws -> [DiskLayer] {
        let base = try folder.file("base.raw", [UInt8](repeating: 0x55, count: size))
        try Qemu.img(
            "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", "cluster_size=4096", base.string,
            folder("base.qcow2").string)
        try Qemu.img(
            "create", "-f", "qcow2", "-o", "lazy_refcounts=on,cluster_size=\(clusterSize)", "-b", "base.qcow2", "-F",
            "qcow2", folder("disk.qcow2").string)
        return [
            DiskLayer(path: folder("disk.qcow2"), format: .qcow2),
            DiskLayer(path: folder("base.qcow2"), format: .qcow2),
        ]
    }

    @Test("writers of neighbouring sectors never lose each other's bytes", arguments: [512, 4096, 65536])
    func neighbours(clusterSize: Int) throws {
        let size = 2 << 20
        let layers = try makeDisk(clusterSize: clusterSize, size: size)
        let disk = try DiskImage.open(layers, access: .readWrite, cacheBytes: 1)
        let threads = 4
        let sector = 1024
        let errors = Mutex<[String]>([])
        // Thread n owns every sector whose number is n modulo 4: all of them share all clusters.
        try Thread.forEach(Array(0..<threads), limit: threads, name: "writer") { worker in
            var generator = SeededGenerator(seed: UInt64(worker))
            var expected = [UInt8](repeating: 0x55, count: size / sector)
            do throws(DiskImageError) {
                for step in 0..<1500 {
                    let index = Int.random(in: 0..<(size / sector / threads), using: &generator) * threads + worker
                    let offset = UInt64(index * sector)
                    switch step % 10 {
                    case 0..<5:
                        let value = UInt8.random(in: 1...255, using: &generator)
                        try disk.write([UInt8](repeating: value, count: sector), at: offset)
                        expected[index] = value
                    case 5:
                        try disk.writeZeroes(at: offset, count: UInt64(sector), mayUnmap: step % 20 == 5)
                        expected[index] = 0
                    case 6: if step % 50 == 6 { try disk.flush() }
                    default:
                        let found = try disk.read(count: sector, at: offset)
                        if found != [UInt8](repeating: expected[index], count: sector) {
                            errors.withLock { $0.append("sector \(index) of thread \(worker) at step \(step)") }
                        }
                    }
                }
                for index in stride(from: worker, to: size / sector, by: threads) {
                    let found = try disk.read(count: sector, at: UInt64(index * sector))
                    if found != [UInt8](repeating: expected[index], count: sector) {
                        errors.withLock { $0.append("sector \(index) of thread \(worker) at the end") }
                    }
                }
            } catch { errors.withLock { $0.append("\(error)") } }
        }
        #expect(errors.withLock { $0 } == [])
        let content = try disk.read(count: size, at: 0)
        try disk.close()
        try Qemu.check(layers[0].path)
        try Qemu.compare(layers[0].path, with: content, in: folder)
    }

    @Test("two writers of one unallocated cluster give it room once")
    func sameCluster() throws {
        let layers = try makeDisk(clusterSize: 65536, size: 1 << 20)
        let disk = try DiskImage.open(layers, access: .readWrite)
        let failures = Mutex(0)
        try Thread.forEach(Array(0..<16), limit: 8, name: "writer") { part in
            do throws(DiskImageError) {
                try disk.write([UInt8](repeating: UInt8(part), count: 4096), at: 131_072 + UInt64(part) * 4096)
            } catch { failures.withLock { $0 += 1 } }
        }
        #expect(failures.withLock { $0 } == 0)
        for part in 0..<16 {
            let expected = [UInt8](repeating: UInt8(part), count: 4096)
            #expect(try disk.read(count: 4096, at: 131_072 + UInt64(part) * 4096) == expected)
        }
        try disk.close()
        let report = try DiskImage.check(layers[0])
        #expect(report.isSound)
        #expect(report.dataClusters == 1)
    }
}
