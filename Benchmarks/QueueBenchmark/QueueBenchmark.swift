import CQueuePeer
import DiskImage
import GuestMemory
import PCI
import Virtio

/// Chains of three descriptors through a queue of 256 entries: taken, checked, walked and handed back.
enum QueueBenchmark {
    static func run() throws -> [Measurement] { [try peer(), try queue(), try blockDevice()] }

    private static func peer() throws -> Measurement {
        let memory = try GuestMemory(byteCount: 1 << 20)
        var driver = try RingDriver(memory: memory)
        let base = try memory.hostBytes(at: 0, count: 1 << 20)
        let at = { (offset: UInt64) in (base + Int(offset)).assumingMemoryBound(to: UInt8.self) }
        var queue = queue_peer(
            size: RingDriver.size, next_available: 0, available_index: 0, next_used: 0, memory: at(0),
            memory_size: 1 << 20,
            descriptors: at(RingDriver.descriptorTable), available: at(RingDriver.availableRing),
            used: at(RingDriver.usedRing))
        let segments = UnsafeMutablePointer<queue_peer_segment>.allocate(capacity: Int(RingDriver.size))
        defer { segments.deallocate() }
        return try Measurement.take(
            "queue in C", operations: driver.chainCount, prepare: { try driver.offerAll() },
            body: {
                guard queue_peer_serve(&queue, segments) == driver.chainCount else { throw BenchmarkError.wrongResult }
            })
    }

    private static func queue() throws -> Measurement {
        let memory = try GuestMemory(byteCount: 1 << 20)
        var driver = try RingDriver(memory: memory)
        var queue = try VirtQueue(driver.layout, features: [.version1], memory: memory)
        return try Measurement.take(
            "VirtQueue", operations: driver.chainCount, prepare: { try driver.offerAll() },
            body: {
                var chains = 0
                while let chain = try queue.nextChain() {
                    let count = chain.writableByteCount
                    queue.complete(chain, written: count)
                    chains += 1
                }
                guard chains == driver.chainCount else { throw BenchmarkError.wrongResult }
            })
    }

    /// The whole way of a request through a disk, over storage that does nothing, without interrupts.
    private static func blockDevice() throws -> Measurement {
        let memory = try GuestMemory(byteCount: 1 << 20)
        var driver = try RingDriver(memory: memory)
        let function = try VirtioPCIFunction(
            BlockDevice(EmptyStorage(), identifier: "bench"), memory: memory, interrupts: NoInterrupts())
        start(function)
        return try Measurement.take(
            "read request of a disk", operations: driver.chainCount, prepare: { try driver.offerAll() },
            body: {
                // In turns, as the device's thread would take them.
                function.handle(source: 0)
                function.handle(source: 0)
                let used = try memory.loadAcquiring16(at: RingDriver.usedRing + 2)
                let offered = try memory.loadAcquiring16(at: RingDriver.availableRing + 2)
                guard used == offered else { throw BenchmarkError.wrongResult }
            })
    }

    /// Status, features, queue 0 and its rings, by the registers of Virtio 1.2, section 4.1.4.3.
    private static func start(_ function: VirtioPCIFunction) {
        let writes: [(UInt64, UInt64, Int)] = [
            (3, 0x14, 1), (1, 0x08, 4), (1, 0x0c, 4), (11, 0x14, 1), (0, 0x16, 2),
            (UInt64(RingDriver.size), 0x18, 2), (RingDriver.descriptorTable, 0x20, 8),
            (RingDriver.availableRing, 0x28, 8),
            (RingDriver.usedRing, 0x30, 8), (1, 0x1c, 2), (15, 0x14, 1),
        ]
        for (value, offset, count) in writes { function.writeMemory(value, bar: 0, offset: offset, count: count) }
    }
}

enum BenchmarkError: Error { case wrongResult }

/// Interrupts that nobody takes.
final class NoInterrupts: MessageInterruptSink {
    func updateRoutes(_ routes: [MessageRoute]) {}
    func trigger(vector: Int) {}
}

/// A disk of 1 GiB that does nothing.
final class EmptyStorage: BlockStorage {
    let virtualSize: UInt64 = 1 << 30
    let isReadOnly = false
    let preferredAlignment = 65536
    func read(into segments: BlockSegments, at offset: UInt64) throws(DiskImageError) {}
    func write(from segments: BlockSegments, at offset: UInt64) throws(DiskImageError) {}
    func flush() throws(DiskImageError) {}
    func discard(at offset: UInt64, count: UInt64) throws(DiskImageError) {}
    func writeZeroes(at offset: UInt64, count: UInt64, mayUnmap: Bool) throws(DiskImageError) {}
    func extent(at offset: UInt64) throws(DiskImageError) -> BlockExtent {
        BlockExtent(offset: offset, count: virtualSize - offset, kind: .zero)
    }
    func resize(to size: UInt64) throws(DiskImageError) {}
    func close() throws(DiskImageError) {}
}
