import GuestMemory
import Testing
import Virtio

@Suite struct BalloonDeviceTests {
    private struct Fixture {
        let driver: GuestDriver
        let device: BalloonDevice

        init(features: UInt64 = .max) throws {
            let memory = try GuestMemory(byteCount: 4 << 20)
            device = BalloonDevice(memory: memory)
            driver = try GuestDriver(device, memory: memory)
            driver.start(features)
        }

        func inflate(_ pages: [UInt32]) throws {
            let list = try driver.buffer(pages.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) })
            try driver.queues[0].submit([(list, pages.count * 4, false)])
            driver.kick(0)
            #expect(try driver.queues[0].takeUsed().count == 1)
        }
        func mark(_ pages: ClosedRange<UInt64>) throws {
            for page in pages { try driver.memory.store(UInt32(0x5a5a_5a5a), at: page << 12) }
        }
        func kept(_ pages: ClosedRange<UInt64>) throws -> [UInt64] {
            try pages.filter { try driver.memory.load(UInt32.self, at: $0 << 12) != 0 }
        }
    }

    @Test("pages that the driver names are given back, in any order, and no others")
    func inflate() throws {
        let fixture = try Fixture()
        try fixture.mark(512...531)
        try fixture.inflate([513, 514, 515, 520, 519, 518, 525, 513])
        #expect(try fixture.kept(512...531) == [512, 516, 517, 521, 522, 523, 524, 526, 527, 528, 529, 530, 531])
        #expect(fixture.device.discardedByteCount == 8 * 4096)
    }

    @Test("page numbers outside RAM, and a list longer than any driver's, do no harm")
    func hostilePages() throws {
        let fixture = try Fixture()
        try fixture.mark(512...513)
        try fixture.inflate([1024, .max, 0x000f_ffff, .max - 1])
        #expect(fixture.device.discardedByteCount == 0)
        try fixture.driver.queues[0].submit((0..<128).map { _ in (0, 4 << 20, false) })
        fixture.driver.kick(0)
        #expect(try fixture.driver.queues[0].takeUsed().count == 1)
        #expect(fixture.driver.status == 15)
    }

    @Test("ranges reported as free are given back, whole pages only")
    func reporting() throws {
        let fixture = try Fixture()
        try fixture.mark(512...520)
        try fixture.driver.queues[3].submit([
            (512 << 12, 8192, true), (515 << 12 + 1, 8191, true), (518 << 12, 4095, true),
        ])
        fixture.driver.kick(3)
        #expect(try fixture.driver.queues[3].takeUsed().map(\.written) == [0])
        #expect(try fixture.kept(512...520) == [514, 515, 517, 518, 519, 520])
        #expect(fixture.driver.sink.takeFired() == [4])
    }

    @Test("without the statistics queue, reporting is the third queue")
    func fewerQueues() throws {
        let fixture = try Fixture(features: ~2)
        try fixture.mark(512...512)
        try fixture.driver.queues[2].submit([(512 << 12, 4096, true)])
        fixture.driver.kick(2)
        #expect(try fixture.kept(512...512).isEmpty)
        try fixture.driver.queues[3].submit([(512 << 12, 4096, true)])
        fixture.driver.kick(3)
        #expect(try fixture.driver.queues[3].takeUsed().isEmpty)
    }

    @Test("the driver says what it has given up, and changes nothing else")
    func claim() throws {
        let fixture = try Fixture()
        fixture.driver.setField(200, 4, 4)
        #expect(fixture.driver.field(4, 4) == 200)
        fixture.driver.setField(0xffff_ffff, 4, 4)
        #expect(fixture.driver.field(4, 4) == 0xffff_ffff)
        fixture.driver.setField(0xffff_ffff, 0, 4)
        #expect(fixture.driver.field(0, 4) == 0)
        #expect(fixture.driver.sink.takeFired().isEmpty)
    }

    @Test("statistics are read at once, their buffer comes back when new ones are wanted")
    func statistics() throws {
        let fixture = try Fixture()
        let values: [(UInt16, UInt64)] = [(4, 1 << 20), (5, 3 << 20), (99, 7), (6, 2 << 20)]
        let list = values.flatMap { tag, value in
            withUnsafeBytes(of: tag.littleEndian, Array.init) + withUnsafeBytes(of: value.littleEndian, Array.init)
        }
        let queue = fixture.driver.queues[2]
        try queue.submit([(try fixture.driver.buffer(list), list.count, false)])
        fixture.driver.kick(2)
        #expect(fixture.device.statistics.free == 1 << 20)
        #expect(fixture.device.statistics.total == 3 << 20)
        #expect(fixture.device.statistics.available == 2 << 20)
        #expect(fixture.device.statistics.caches == nil)
        let counters = Dictionary(uniqueKeysWithValues: fixture.device.counters.map { ($0.name, $0.value) })
        #expect(counters["guestTotalBytes"] == 3 << 20 && counters["guestAvailableBytes"] == 2 << 20)
        #expect(try #require(counters["reportAgeMilliseconds"]) < 60_000)
        #expect(try queue.takeUsed().isEmpty)
        fixture.device.refreshCounters()
        #expect(try queue.takeUsed().count == 1)
        fixture.device.refreshCounters()
        #expect(try queue.takeUsed().isEmpty)
        #expect(fixture.driver.sink.takeFired() == [3])
    }

    @Test("a second buffer of statistics, a readable report and a reset with a buffer in hand")
    func hostile() throws {
        let fixture = try Fixture()
        for _ in 0..<2 { try fixture.driver.queues[2].submit([(0x1000, 20, false)]) }
        fixture.driver.kick(2)
        #expect(fixture.driver.function.signals.stopReasons == [.malformedRequest])
        fixture.driver.start()
        try fixture.driver.queues[3].submit([(0x1000, 4096, false)])
        fixture.driver.kick(3)
        #expect(fixture.driver.function.signals.stopReasons.count == 2)
        fixture.driver.start()
        try fixture.driver.queues[2].submit([(0x1000, 20, false)])
        fixture.driver.kick(2)
        fixture.driver.status = 0
        fixture.device.refreshCounters()
        #expect(fixture.driver.status == 0)
    }
}
