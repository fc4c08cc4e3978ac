import GuestMemory
import Testing
import Virtio

/// What hostile drivers do to a ring, with the entropy device behind it.
@Suite struct QueueTests {
    typealias Descriptor = GuestQueue.Descriptor

    private func started(_ features: UInt64 = .max) throws -> (GuestDriver, GuestQueue) {
        let driver = try GuestDriver(EntropyDevice())
        driver.start(features)
        return (driver, driver.queues[0])
    }

    private func expectStopped(_ driver: GuestDriver, _ error: QueueError) throws {
        driver.kick(0)
        #expect(driver.function.signals.stopReasons == [error])
        #expect(driver.status == 15 | 0x40)
        #expect(driver.sink.takeFired().last == 0)
        let before = try driver.queues[0].takeUsed().count
        #expect(before == 0)
        driver.start()
        #expect(driver.status == 15)
        try driver.queues[0].submit([(driver.page(8), 8, true)])
        driver.kick(0)
        #expect(try driver.queues[0].takeUsed().count == 1)
    }

    @Test("more available chains than entries", arguments: [65, 0x8000, 0xffff] as [UInt16])
    func availableIndex(index: UInt16) throws {
        let (driver, queue) = try started()
        try queue.setAvailableIndex(index)
        try expectStopped(driver, .tooManyAvailable(index))
    }

    @Test("a head outside the table", arguments: [64, 0xffff] as [UInt16])
    func head(index: UInt16) throws {
        let (driver, queue) = try started()
        try queue.offer(index)
        try expectStopped(driver, .descriptorOutOfRange(index))
    }

    @Test("a link outside the table")
    func link() throws {
        let (driver, queue) = try started()
        try queue.write(Descriptor(address: 0x1000, count: 1, flags: 3, next: 64), at: 0)
        try queue.offer(0)
        try expectStopped(driver, .descriptorOutOfRange(64))
    }

    @Test("descriptors in a circle")
    func loop() throws {
        let (driver, queue) = try started()
        try queue.write(Descriptor(address: 0x1000, count: 1, flags: 3, next: 1), at: 0)
        try queue.write(Descriptor(address: 0x1000, count: 1, flags: 3, next: 0), at: 1)
        try queue.offer(0)
        try expectStopped(driver, .chainTooLong)
    }

    @Test(
        "buffers outside RAM",
        arguments: [
            (0x3f_ffff, 2), (0x40_0000, 1), (.max, 1), (0xffff_ffff_ffff_f000, 0x2000), (0xfee0_0000, 4), (0, .max),
        ] as [(UInt64, UInt32)])
    func outside(address: UInt64, count: UInt32) throws {
        let (driver, queue) = try started()
        try queue.write(Descriptor(address: address, count: count, flags: 2), at: 0)
        try queue.offer(0)
        try expectStopped(driver, .bufferOutsideMemory(address: address, count: count))
    }

    @Test("a readable buffer after a writable one")
    func order() throws {
        let (driver, queue) = try started()
        try queue.write(Descriptor(address: 0x1000, count: 1, flags: 3, next: 1), at: 0)
        try queue.write(Descriptor(address: 0x1000, count: 1), at: 1)
        try queue.offer(0)
        try expectStopped(driver, .readableAfterWritable)
    }

    @Test(
        "flags that do not exist, or an indirect table that was not negotiated",
        arguments: [8, 0x8000, 4, 5] as [UInt16])
    func flags(flags: UInt16) throws {
        let (driver, queue) = try started()
        try queue.write(Descriptor(address: 0x1000, count: 16, flags: flags), at: 0)
        try queue.offer(0)
        try expectStopped(driver, .invalidFlags(flags))
    }

    @Test("a chain of the whole table is served, in one piece")
    func longest() throws {
        let (driver, queue) = try started()
        try queue.submit((0..<64).map { (driver.page(4096) + $0, 1, true) })
        driver.kick(0)
        #expect(try queue.takeUsed().map(\.written) == [64])
    }

    @Test("gigabytes of overlapping buffers cost no more than the limit of the device")
    func overlapping() throws {
        let (driver, queue) = try started()
        try queue.submit((0..<64).map { _ in (0x10_0000, 0x10_0000, true) })
        driver.kick(0)
        #expect(try queue.takeUsed().map(\.written) == [64 << 10])
    }

    @Test("empty buffers are legal")
    func empty() throws {
        let (driver, queue) = try started()
        try queue.submit([(0x1000, 0, true), (0x1000, 3, true), (0x1000, 0, true)])
        driver.kick(0)
        #expect(try queue.takeUsed().map(\.written) == [3])
    }

    @Test("indexes wrap after 65536 chains")
    func wrapping() throws {
        let (driver, queue) = try started()
        let buffer = driver.page(8)
        for _ in 0..<1100 {
            for _ in 0..<60 { try queue.submit([(buffer, 8, true)]) }
            driver.kick(0)
            #expect(try queue.takeUsed().count == 60)
        }
        #expect(driver.status == 15)
    }

    @Test("a storm of chains is served in turns")
    func turns() throws {
        let (driver, queue) = try started()
        for _ in 0..<64 { try queue.submit([(0x1000, 8, true)]) }
        driver.function.handle(source: 0)
        #expect(try queue.takeUsed().count == 16)
        driver.work()
        #expect(try queue.takeUsed().count == 48)
    }

    @Test(
        "with event indexes the driver is interrupted when it asked for it, and asked to notify from the next chain on")
    func eventIndex() throws {
        let (driver, queue) = try started()
        #expect(try queue.wantedNotification == 0)
        try queue.wantInterrupt(from: 2)
        for count in 1...4 as ClosedRange<UInt16> {
            try queue.submit([(0x1000, 8, true)])
            driver.kick(0)
            #expect(driver.sink.takeFired() == (count == 3 ? [1] : []))
            #expect(try queue.wantedNotification == count)
        }
    }

    @Test("without event indexes the driver's flag suppresses interrupts")
    func suppression() throws {
        let (driver, queue) = try started(1 << 32)
        try queue.submit([(0x1000, 8, true)])
        driver.kick(0)
        #expect(driver.sink.takeFired() == [1])
        try driver.memory.store(UInt16(1), at: queue.available)
        try queue.submit([(0x1000, 8, true)])
        driver.kick(0)
        #expect(driver.sink.takeFired().isEmpty)
        #expect(try queue.takeUsed().count == 2)
    }
}
