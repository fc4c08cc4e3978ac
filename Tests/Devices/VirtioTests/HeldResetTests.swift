import DiskImage
import GuestMemory
import LinuxSystem
import Synchronization
import Testing
import Virtio

/// A driver that resets its device while a request is with the host.
@Suite struct HeldResetTests {
    /// A disk on which a write lasts until somebody lets it end, or for a moment.
    private final class SlowStorage: BlockStorage {
        private let memory = MemoryStorage([UInt8](repeating: 0, count: 64 * 512))
        let begun = Signal()
        let mayEnd = Signal()
        let ended = Signal()

        var isReadOnly: Bool { false }
        var preferredAlignment: Int { memory.preferredAlignment }
        var virtualSize: UInt64 { memory.virtualSize }
        var bytes: [UInt8] { memory.bytes }

        func read(into segments: BlockSegments, at offset: UInt64) throws(DiskImageError) {
            try memory.read(into: segments, at: offset)
        }
        func write(from segments: BlockSegments, at offset: UInt64) throws(DiskImageError) {
            begun.raise()
            _ = mayEnd.wait(milliseconds: 300)
            try memory.write(from: segments, at: offset)
            ended.raise()
        }
        func flush() throws(DiskImageError) { try memory.flush() }
        func discard(at offset: UInt64, count: UInt64) throws(DiskImageError) {
            try memory.discard(at: offset, count: count)
        }
        func writeZeroes(at offset: UInt64, count: UInt64, mayUnmap: Bool) throws(DiskImageError) {
            try memory.writeZeroes(at: offset, count: count, mayUnmap: mayUnmap)
        }
        func extent(at offset: UInt64) throws(DiskImageError) -> BlockExtent { try memory.extent(at: offset) }
        func resize(to size: UInt64) throws(DiskImageError) { try memory.resize(to: size) }
        func close() throws(DiskImageError) {}
    }

    private final class Signal: Sendable {
        private let flag = Atomic(false)
        var isRaised: Bool { flag.load(ordering: .acquiring) }
        func raise() { flag.store(true, ordering: .releasing) }
        /// - Returns: Whether it was raised in that time.
        func wait(milliseconds: Int64) -> Bool {
            let deadline = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
            while !isRaised {
                guard MonotonicClock.now < deadline else { return false }
                MonotonicClock.sleep(milliseconds: 1)
            }
            return true
        }
    }

    /// Submits a write of one sector; the device hears of it when it is rung.
    /// - Returns: Where its outcome will be.
    private func submit(_ byte: UInt8, sector: UInt8, to driver: GuestDriver) throws -> UInt64 {
        let header = try driver.buffer([1, 0, 0, 0, 0, 0, 0, 0, sector, 0, 0, 0, 0, 0, 0, 0])
        let data = try driver.buffer([UInt8](repeating: byte, count: 512))
        let status = try driver.buffer([0xee])
        try driver.queues[0].submit([(header, 16, false), (data, 512, false), (status, 1, true)])
        return status
    }

    @Test("its end waits for what is under way, and whoever resets twice is served all the same", arguments: [1, 2])
    func reset(count: Int) throws {
        let storage = SlowStorage()
        let driver = try GuestDriver(BlockDevice(storage, identifier: "root"))
        driver.start()
        _ = try submit(7, sector: 3, to: driver)
        driver.ring(0)
        let function = driver.function
        let device = try Thread(name: "device") { function.handle(source: 0) }
        #expect(storage.begun.wait(milliseconds: 10_000))
        // The request is let go only if a reset came to its end before it, which none may.
        driver.status = 0
        #expect(storage.ended.isRaised)
        storage.mayEnd.raise()
        device.join()
        for _ in 1..<count { driver.status = 0 }
        #expect(driver.status == 0)
        #expect(storage.bytes[3 * 512] == 7)
        driver.start()
        let outcome = try submit(9, sector: 4, to: driver)
        driver.kick(0)
        #expect(try driver.queues[0].takeUsed().map(\.written) == [1])
        #expect(try driver.memory.load(UInt8.self, at: outcome) == 0)
        #expect(storage.bytes[4 * 512] == 9)
    }
}
