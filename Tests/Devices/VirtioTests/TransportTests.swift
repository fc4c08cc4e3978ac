import GuestMemory
import PCI
import Testing
import Virtio

@Suite struct TransportTests {
    @Test("the function is a modern device of its type, with the capabilities that drivers look for")
    func identity() throws {
        let driver = try GuestDriver(EntropyDevice())
        #expect(driver.configuration(0, 4) == 0x1044_1af4)
        #expect(driver.configuration(8, 1) == 1)
        #expect(driver.configuration(0x2c, 4) == 0x1044_1af4)
        #expect(driver.configuration(0x3d, 1) == 0)
        #expect(driver.configuration(6, 2) & 0x10 != 0)
        #expect(driver.capabilities.keys.sorted() == [1, 2, 3, 4, 5])
        #expect(driver.configuration(driver.messageCapability + 2, 2) == 1)
        #expect(driver.common(0x12, 2) == 1)
    }

    @Test("a driver that does as Linux does gets its request served and one interrupt on the queue's vector")
    func wholeLife() throws {
        let driver = try GuestDriver(EntropyDevice())
        driver.start()
        #expect(driver.status == 15)
        #expect(driver.sink.routes.map(\.count) == [2])
        #expect(driver.doorbells.addresses == [0: driver.address(2, 0)])
        let buffer = driver.page(64)
        try driver.queues[0].submit([(buffer, 64, true)])
        driver.kick(0)
        let used = try driver.queues[0].takeUsed()
        #expect(used.map(\.written) == [64])
        #expect(driver.sink.takeFired() == [1])
        #expect(try driver.memory.loadBytes(at: buffer, count: 64) != [UInt8](repeating: 0, count: 64))
    }

    @Test("a driver that does not accept version 1 is refused and cannot start")
    func versionOne() throws {
        let driver = try GuestDriver(EntropyDevice())
        #expect(!driver.negotiate(1 << 29))
        driver.status = 15
        #expect(driver.status & 12 == 0)
    }

    @Test("features that were not offered are not accepted, and none changes after FEATURES_OK")
    func features() throws {
        let driver = try GuestDriver(EntropyDevice())
        #expect(driver.negotiate(.max))
        driver.setCommon(0, 8, 4)
        #expect(driver.common(12, 4) == driver.offeredFeatures & 0xffff_ffff)
        driver.setCommon(0, 12, 4)
        #expect(driver.common(12, 4) == driver.offeredFeatures & 0xffff_ffff)
        driver.setCommon(7, 8, 4)
        driver.setCommon(0xffff_ffff, 12, 4)
        #expect(driver.common(12, 4) == 0)
    }

    @Test("a queue that does not exist reads as nothing and takes no writes", arguments: [1, 2, 0xffff] as [UInt64])
    func queueSelect(index: UInt64) throws {
        let driver = try GuestDriver(EntropyDevice())
        #expect(driver.negotiate(1 << 32))
        driver.setCommon(index, 0x16, 2)
        for offset in [0x18, 0x1c, 0x1e] {
            driver.setCommon(1, offset, 2)
            #expect(driver.common(offset, 2) == 0)
        }
        driver.setCommon(0, 0x1a, 2)
        #expect(driver.common(0x1a, 2) == 0xffff)
        driver.setCommon(0x1000, 0x20, 4)
        #expect(driver.common(0x20, 4) == 0)
    }

    @Test("queue registers take only sensible values, and only between FEATURES_OK and DRIVER_OK")
    func queueRegisters() throws {
        let driver = try GuestDriver(EntropyDevice())
        driver.status = 0
        driver.setCommon(32, 0x18, 2)
        #expect(driver.common(0x18, 2) == 64)
        #expect(driver.negotiate(1 << 32))
        for size in [0, 3, 128, 0x8000, 0xffff] as [UInt64] {
            driver.setCommon(size, 0x18, 2)
            #expect(driver.common(0x18, 2) == 64)
        }
        driver.setCommon(32, 0x18, 2)
        #expect(driver.common(0x18, 2) == 32)
        driver.setCommon(2, 0x1c, 2)
        #expect(driver.common(0x1c, 2) == 0)
        driver.setCommon(0x1_2345_6000, 0x20, 8)
        #expect(driver.common(0x20, 8) == 0x1_2345_6000)
        #expect(driver.common(0x24, 4) == 1)
        driver.setCommon(5, 0x1a, 2)
        #expect(driver.common(0x1a, 2) == 0xffff)
        driver.setCommon(1, 0x1c, 2)
        driver.setCommon(16, 0x18, 2)
        #expect(driver.common(0x18, 2) == 32)
    }

    @Test("accesses of any width at any offset of the window neither trap nor change the status")
    func everyAccess() throws {
        let driver = try GuestDriver(EntropyDevice())
        driver.start()
        let base = driver.address(1, 0)
        for offset in 0..<UInt64(0x10000) where offset != 0x14 {
            for count in [1, 2, 3, 4, 8] {
                _ = driver.bus.readMemory(at: base + offset, count: count)
                if offset < 0x10 || offset >= 0x18 { _ = driver.bus.writeMemory(.max, at: base + offset, count: count) }
            }
        }
        driver.work()
        #expect(driver.status & 0x4f == 15)
    }

    @Test(
        "rings outside RAM, misaligned or on top of devices stop the device, not the machine",
        arguments: [
            (0x20, 0x3f_fff0), (0x20, 0x1008), (0x28, 0x1001), (0x30, 0x1002), (0x30, 0xfee0_0000),
            (0x28, 0xffff_ffff_ffff_fffe), (0x20, 0xc000_2000),
        ] as [(Int, UInt64)])
    func badRings(register: Int, address: UInt64) throws {
        let driver = try GuestDriver(EntropyDevice())
        #expect(driver.negotiate(1 << 32))
        driver.enableMessages()
        driver.setCommon(0, 0x10, 2)
        for offset in [0x20, 0x28, 0x30] { driver.setCommon(0x1000, offset, 8) }
        driver.setCommon(address, register, 8)
        driver.setCommon(1, 0x1c, 2)
        driver.status = 15
        #expect(driver.status & 0x40 != 0)
        #expect(driver.sink.takeFired() == [0])
        #expect(driver.function.signals.stopReasons == [.invalidRing])
        driver.start()
        #expect(driver.status == 15)
    }

    @Test("a reset forgets everything, and the device starts again")
    func reset() throws {
        let driver = try GuestDriver(EntropyDevice())
        for _ in 0..<3 {
            driver.start()
            try driver.queues[0].submit([(driver.page(16), 16, true)])
            driver.kick(0)
            #expect(try driver.queues[0].takeUsed().count == 1)
            let queue = driver.queues[0]
            driver.status = 0
            #expect(driver.status == 0)
            #expect(driver.common(0x1c, 2) == 0)
            #expect(driver.common(0x20, 8) == 0)
            #expect(driver.common(0x10, 2) == 0xffff)
            try queue.submit([(driver.page(16), 16, true)])
            driver.kick(0)
            #expect(try queue.takeUsed().isEmpty)
        }
    }

    @Test("after the machine's reset the window is closed and keeps its address")
    func machineReset() throws {
        let driver = try GuestDriver(EntropyDevice())
        driver.start()
        let address = driver.address(1, 0)
        driver.bus.reset()
        #expect(driver.bus.readMemory(at: address, count: 4) == nil)
        #expect(driver.doorbells.addresses.isEmpty)
        #expect(driver.configuration(driver.messageCapability + 2, 2) == 1)
        driver.setConfiguration(2, 4, 2)
        #expect(driver.address(1, 0) == address)
        driver.start()
        #expect(driver.status == 15)
    }

    @Test("the window in configuration space reaches registers without the address register")
    func configurationWindow() throws {
        let driver = try GuestDriver(EntropyDevice())
        let window = try #require(driver.capabilities[5])
        driver.setConfiguration(0, window + 4, 1)
        driver.setConfiguration(0x12, window + 8, 4)
        driver.setConfiguration(2, window + 12, 4)
        #expect(driver.configuration(window + 16, 2) == 1)
        driver.setConfiguration(0x14, window + 8, 4)
        driver.setConfiguration(1, window + 12, 4)
        driver.setConfiguration(3, window + 16, 1)
        #expect(driver.status == 3)
        for (offset, length) in [(0x13, 2), (0xffff_fffc, 4), (0, 3), (0, 0), (0x10000, 4)] as [(UInt32, UInt32)] {
            driver.setConfiguration(offset, window + 8, 4)
            driver.setConfiguration(length, window + 12, 4)
            driver.setConfiguration(0, window + 16, 4)
            _ = driver.configuration(window + 16, 4)
        }
        #expect(driver.status == 3)
    }

    @Test("without MSI-X the interrupt status register tells, and reading it acknowledges")
    func interruptStatus() throws {
        let driver = try GuestDriver(EntropyDevice())
        #expect(driver.negotiate(1 << 32))
        let queue = driver.addQueue(0, size: nil, eventIndex: false)
        driver.status = 15
        try queue.submit([(driver.page(16), 16, true)])
        driver.kick(0)
        #expect(driver.bus.readMemory(at: driver.address(3, 0), count: 1) == 1)
        #expect(driver.bus.readMemory(at: driver.address(3, 0), count: 1) == 0)
        #expect(driver.sink.takeFired().isEmpty)
    }
}
