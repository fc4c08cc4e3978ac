import CAllocationCount
import DiskImage
import Glibc
import LinuxSystem
import SystemPackage

/// Requests to a disk in the pattern of `qemu-img bench`: each one `step` bytes behind the last, around the end.
@main struct DiskBenchmark {
    static func main() {
        do {
            try run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            print("\(error)")
            exitWithUsage()
        }
    }

    private static func exitWithUsage() -> Never {
        print("usage: disk-benchmark read|write SIZE STEP COUNT THREADS FILE [BACKING-FILE]")
        print("prints seconds and allocations for each 1000 requests")
        exit(64)
    }

    private static func run(_ arguments: [String]) throws {
        guard arguments.count >= 6, let size = Int(arguments[1]), let step = UInt64(arguments[2]),
            let count = Int(arguments[3]), let threads = Int(arguments[4]), size > 0, count > 0, threads > 0
        else { exitWithUsage() }
        let isWrite = arguments[0] == "write"
        let layers = arguments[5...].map { DiskLayer(path: FilePath($0), format: .qcow2) }
        let disk = try DiskImage.open(Array(layers), access: isWrite ? .readWrite : .readOnly)
        let load = Load(disk: disk, isWrite: isWrite, size: size, step: step, count: count, threads: threads)

        let started = MonotonicClock.now
        let allocationsBefore = allocation_count()
        try Thread.forEach(Array(0..<threads), limit: threads, name: "load") { load.run(worker: $0) }
        let allocations = allocation_count() - allocationsBefore
        let seconds = Double(MonotonicClock.now.nanoseconds - started.nanoseconds) / 1e9
        try disk.close()
        print("\(seconds) \(Double(allocations) * 1000 / Double(count))")
    }
}

/// The requests of all threads; each thread makes every n-th.
struct Load: Sendable {
    let disk: any BlockStorage
    let isWrite: Bool
    let size: Int
    let step: UInt64
    let count: Int
    let threads: Int

    func run(worker: Int) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 0xa5)
        let room = disk.virtualSize - UInt64(size)
        var index = worker
        do {
            while index < count {
                let offset = UInt64(index) * step % disk.virtualSize
                if isWrite {
                    try disk.write(from: UnsafeRawBufferPointer(buffer), at: min(offset, room))
                } else {
                    try disk.read(into: buffer, at: min(offset, room))
                }
                index += threads
            }
        } catch {
            print("request failed: \(error)")
            exit(1)
        }
    }
}
