import GuestMemory
import Testing
import Virtio

@Suite struct BlockDeviceTests {
    private let storage = MemoryStorage((0..<64 * 512).map { UInt8(truncatingIfNeeded: $0 / 512) })

    private func started(_ storage: MemoryStorage, queueCount: Int = 1) throws -> GuestDriver {
        let driver = try GuestDriver(BlockDevice(storage, identifier: "root", queueCount: queueCount))
        driver.start()
        return driver
    }

    /// Sends one request and returns its outcome, what was written into `replyCount` bytes, and the used length.
    private func request(
        _ driver: GuestDriver, _ kind: UInt32, sector: UInt64 = 0, data: [UInt8] = [], replyCount: Int = 0,
        queue: Int = 0
    ) throws -> (status: UInt8, reply: [UInt8], written: Int) {
        let header = try driver.buffer(Self.header(kind, sector))
        let payload = try driver.buffer(data)
        let reply = driver.page(replyCount + 1)
        let status = driver.page(1)
        try driver.memory.store(UInt8(0xee), at: status)
        var buffers: [(UInt64, Int, Bool)] = [(header, 16, false)]
        if !data.isEmpty { buffers.append((payload, data.count, false)) }
        if replyCount > 0 { buffers.append((reply, replyCount, true)) }
        buffers.append((status, 1, true))
        try driver.queues[queue].submit(buffers)
        driver.kick(queue)
        let used = try #require(try driver.queues[queue].takeUsed().first)
        return (
            try driver.memory.load(UInt8.self, at: status), try driver.memory.loadBytes(at: reply, count: replyCount),
            used.written
        )
    }

    private static func header(_ kind: UInt32, _ sector: UInt64) -> [UInt8] {
        withUnsafeBytes(of: kind.littleEndian, Array.init) + [0, 0, 0, 0]
            + withUnsafeBytes(of: sector.littleEndian, Array.init)
    }

    private static func range(_ sector: UInt64, _ count: UInt32, _ flags: UInt32) -> [UInt8] {
        withUnsafeBytes(of: sector.littleEndian, Array.init) + withUnsafeBytes(of: count.littleEndian, Array.init)
            + withUnsafeBytes(of: flags.littleEndian, Array.init)
    }

    @Test("configuration fields say what the disk can do")
    func fields() throws {
        let driver = try started(storage, queueCount: 4)
        #expect(driver.field(0, 8) == 64)
        #expect(driver.field(0, 4) == 64)
        #expect(driver.field(12, 4) == 510)
        #expect(driver.field(20, 4) == 512)
        #expect(driver.field(34, 2) == 4)
        #expect(driver.field(44, 4) == 128)
        #expect(driver.field(60, 8) == 0)
        #expect(driver.common(0x12, 2) == 4)
        let offered = driver.offeredFeatures
        for bit in [2, 6, 9, 11, 12, 13, 14, 28, 29, 32] { #expect(offered & 1 << UInt64(bit) != 0) }
        #expect(offered & 1 << 5 == 0)
    }

    @Test("reads, writes and flushes reach the disk, on every queue")
    func transfer() throws {
        let driver = try started(storage, queueCount: 2)
        let read = try request(driver, 0, sector: 7, replyCount: 1024)
        #expect(read.status == 0)
        #expect(read.reply == [UInt8](repeating: 7, count: 512) + [UInt8](repeating: 8, count: 512))
        #expect(read.written == 1025)
        let write = try request(driver, 1, sector: 63, data: [UInt8](repeating: 0xaa, count: 512), queue: 1)
        #expect(write.status == 0)
        #expect(write.written == 1)
        #expect(storage.bytes.suffix(513) == [62] + [UInt8](repeating: 0xaa, count: 512))
        #expect(try request(driver, 4, queue: 1).status == 0)
        #expect(storage.log.flushes == 1)
        #expect(driver.sink.takeFired() == [1, 2, 2])
    }

    @Test("a request may be cut into buffers anywhere")
    func layout() throws {
        let driver = try started(storage)
        let header = try driver.buffer(Self.header(1, 5))
        let data = try driver.buffer([UInt8](repeating: 0x77, count: 512))
        let status = driver.page(1)
        try driver.queues[0].submit([
            (header, 3, false), (header + 3, 12, false), (header + 15, 1, false), (data, 1, false),
            (data + 1, 510, false),
            (data + 511, 1, false), (status, 1, true), (status, 0, true),
        ])
        driver.kick(0)
        #expect(try driver.queues[0].takeUsed().count == 1)
        #expect(Array(storage.bytes[5 * 512..<6 * 512]) == [UInt8](repeating: 0x77, count: 512))
        // Header and data in one buffer; data and status in another.
        let whole = try driver.buffer(Self.header(0, 9))
        let reply = driver.page(513)
        try driver.queues[0].submit([(whole, 16, false), (reply, 513, true)])
        driver.kick(0)
        #expect(try driver.memory.loadBytes(at: reply, count: 513) == [UInt8](repeating: 9, count: 512) + [0])
    }

    @Test("an indirect table is one descriptor of the ring")
    func indirect() throws {
        let driver = try started(storage)
        let queue = driver.queues[0]
        let table = driver.page(64)
        let header = try driver.buffer(Self.header(0, 2))
        let reply = driver.page(513)
        try queue.write(.init(address: header, count: 16, flags: 1, next: 2), at: 0, of: table)
        try queue.write(.init(address: reply, count: 513, flags: 2), at: 2, of: table)
        try queue.write(.init(address: table, count: 48, flags: 4), at: 9)
        try queue.offer(9)
        driver.kick(0)
        #expect(try queue.takeUsed().map(\.head) == [9])
        #expect(try driver.memory.loadBytes(at: reply, count: 513) == [UInt8](repeating: 2, count: 512) + [0])
    }

    @Test(
        "bad indirect tables stop the device",
        arguments: [
            (0x20000, 0), (0x20000, 24), (0x20000, 513 * 16), (0x3f_fff8, 16), (0x20004, 16), (.max, 16),
        ] as [(UInt64, UInt32)])
    func badIndirect(address: UInt64, count: UInt32) throws {
        let driver = try started(storage)
        try driver.queues[0].write(.init(address: address, count: count, flags: 4), at: 0)
        try driver.queues[0].offer(0)
        driver.kick(0)
        #expect(driver.function.signals.stopReasons == [.invalidIndirectTable(address: address, count: count)])
    }

    @Test("an indirect table inside an indirect table, and one that is a circle, stop the device")
    func nestedIndirect() throws {
        for (flags, error) in [(4, .invalidFlags(4)), (1, .chainTooLong)] as [(UInt16, QueueError)] {
            let driver = try started(storage)
            let table = driver.page(16)
            try driver.queues[0].write(.init(address: table, count: 16, flags: flags), at: 0, of: table)
            try driver.queues[0].write(.init(address: table, count: 16, flags: 4), at: 0)
            try driver.queues[0].offer(0)
            driver.kick(0)
            #expect(driver.function.signals.stopReasons == [error])
        }
    }

    @Test("the identifier is 20 bytes; a buffer for less fails")
    func identifier() throws {
        let driver = try started(storage)
        let answer = try request(driver, 8, replyCount: 20)
        #expect(answer.status == 0)
        #expect(answer.reply == Array("root".utf8) + [UInt8](repeating: 0, count: 16))
        #expect(answer.written == 21)
        #expect(try request(driver, 8, replyCount: 19).status == 1)
    }

    @Test(
        "what leaves the disk, or is no whole number of sectors, fails and changes nothing",
        arguments: [
            (0, 64, 512), (0, 63, 1024), (0, .max, 512), (0, 1 << 55, 512), (0, 0, 511), (1, 64, 512), (1, .max, 1024),
            (1, 0, 513),
            (1, 0x0080_0000_0000_0000, 512),
        ] as [(UInt32, UInt64, Int)])
    func outOfRange(kind: UInt32, sector: UInt64, count: Int) throws {
        let driver = try started(storage)
        let before = storage.bytes
        let isWrite = kind == 1
        let data = isWrite ? [UInt8](repeating: 1, count: count) : []
        let answer = try request(driver, kind, sector: sector, data: data, replyCount: isWrite ? 0 : count)
        #expect(answer.status == 1)
        #expect(answer.written == 1)
        #expect(storage.bytes == before)
        #expect(driver.status == 15)
    }

    @Test("unknown requests are unsupported", arguments: [2, 3, 5, 7, 9, 10, 12, 14, .max] as [UInt32])
    func unknown(kind: UInt32) throws {
        let driver = try started(storage)
        #expect(try request(driver, kind, replyCount: 512).status == 2)
    }

    @Test("discards and zeroes reach the disk")
    func ranges() throws {
        let driver = try started(storage)
        #expect(try request(driver, 11, data: Self.range(8, 16, 0) + Self.range(40, 1, 0)).status == 0)
        #expect(storage.log.discards == [4096..<12288, 20480..<20992])
        #expect(try request(driver, 13, data: Self.range(1, 2, 1)).status == 0)
        #expect(storage.log.zeroes == [512..<1536])
        #expect(Array(storage.bytes[512..<1537]) == [UInt8](repeating: 0, count: 1024) + [3])
        #expect(try request(driver, 13, data: Self.range(3, 1, 0)).status == 0)
        #expect(Array(storage.bytes[1536..<2049]) == [UInt8](repeating: 0, count: 512) + [4])
    }

    @Test(
        "bad ranges fail",
        arguments: [
            (11, range(0, 1, 1), 2), (13, range(0, 1, 2), 2), (11, range(64, 1, 0), 1), (13, range(.max, .max, 0), 1),
            (11, [], 1), (11, [UInt8](repeating: 0, count: 15), 1), (13, [UInt8](repeating: 0, count: 33 * 16), 1),
        ] as [(UInt32, [UInt8], UInt8)])
    func badRanges(kind: UInt32, data: [UInt8], status: UInt8) throws {
        let driver = try started(storage)
        #expect(try request(driver, kind, data: data).status == status)
        #expect(storage.log == MemoryStorage.Log())
    }

    @Test("a read-only disk says so and takes no change", arguments: [1, 11, 13] as [UInt32])
    func readOnly(kind: UInt32) throws {
        let storage = MemoryStorage([UInt8](repeating: 9, count: 4096), readOnly: true)
        let driver = try started(storage)
        #expect(driver.offeredFeatures & 1 << 5 != 0)
        let data = kind == 1 ? [UInt8](repeating: 1, count: 512) : Self.range(0, 1, 0)
        #expect(try request(driver, kind, data: data).status == 1)
        #expect(storage.bytes == [UInt8](repeating: 9, count: 4096))
    }

    @Test("a disk that fails is an I/O error for the guest, nothing more")
    func failing() throws {
        let driver = try started(MemoryStorage([UInt8](repeating: 0, count: 4096), failing: true))
        #expect(try request(driver, 0, replyCount: 512).status == 1)
        #expect(try request(driver, 1, data: [UInt8](repeating: 0, count: 512)).status == 1)
        #expect(try request(driver, 4).status == 1)
        #expect(driver.status == 15)
    }

    @Test("with the write cache off, every write is flushed")
    func writeThrough() throws {
        let driver = try started(storage)
        _ = try request(driver, 1, data: [UInt8](repeating: 0, count: 512))
        #expect(storage.log.flushes == 0)
        driver.setField(0, 32, 1)
        #expect(driver.field(32, 1) == 0)
        _ = try request(driver, 1, data: [UInt8](repeating: 0, count: 512))
        #expect(storage.log.flushes == 1)
        driver.setField(7, 32, 1)
        driver.setField(.max, 0, 8)
        #expect(driver.field(32, 1) == 0)
        #expect(driver.field(0, 8) == 64)
    }

    @Test("a request without a whole header, or without room for its outcome, stops the device")
    func malformed() throws {
        for buffers in [[(0x1000, 15, false), (0x2000, 1, true)], [(0x1000, 16, false)], [(0x2000, 512, true)]]
            as [[(address: UInt64, count: Int, writable: Bool)]]
        {
            let driver = try started(storage)
            try driver.queues[0].submit(buffers)
            driver.kick(0)
            #expect(driver.function.signals.stopReasons == [.malformedRequest])
            #expect(driver.status & 0x40 != 0)
        }
    }

    @Test("a broken queue stops the other queues of the device until its reset")
    func brokenNeighbour() throws {
        let driver = try started(storage, queueCount: 2)
        try driver.queues[0].offer(999)
        driver.kick(0)
        let header = try driver.buffer(Self.header(0, 0))
        try driver.queues[1].submit([(header, 16, false), (driver.page(1), 1, true)])
        driver.kick(1)
        #expect(try driver.queues[1].takeUsed().isEmpty)
        driver.start()
        #expect(try request(driver, 0, replyCount: 512, queue: 1).status == 0)
    }

    @Test("a change of size reaches the driver with a new generation and an interrupt")
    func resize() throws {
        let device = BlockDevice(storage, identifier: "root")
        let driver = try GuestDriver(device)
        driver.start()
        let generation = driver.common(0x15, 1)
        try storage.resize(to: 65536)
        device.capacityChanged()
        #expect(driver.field(0, 8) == 128)
        #expect(driver.common(0x15, 1) != generation)
        #expect(driver.sink.takeFired() == [0])
        #expect(try request(driver, 0, sector: 127, replyCount: 512).status == 0)
    }
}
