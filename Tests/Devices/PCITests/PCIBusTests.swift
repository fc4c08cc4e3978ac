import PCI
import Synchronization
import Testing

@Suite struct PCIBusTests {
    static let aperture: Range<UInt64> = 0xc000_1000..<0xeec0_0000

    @Test("a guest finds mechanism #1 as Linux probes for it")
    func probe() {
        let bus = PCIBus(apertures: [Self.aperture])
        bus.writePort(1, 0xcfb, count: 1)
        bus.writePort(0x8000_0000, 0xcf8, count: 4)
        #expect(bus.readPort(0xcf8, count: 4) == 0x8000_0000)
        #expect(bus.readPort(0xcfc, count: 4) == 0x1237_8086)
        #expect(bus.readPort(0xcfe, count: 2) == 0x1237)
        bus.writePort(0x8000_0008, 0xcf8, count: 4)
        #expect(bus.readPort(0xcfc, count: 4) >> 8 == 0x06_00_00)
    }

    @Test(
        "absent devices, functions, buses and a disabled latch read as ones",
        arguments: [
            0x8000_0800, 0x8000_0100, 0x8001_0000, 0x0000_0000,
        ] as [UInt32])
    func absent(latch: UInt32) {
        let bus = PCIBus(apertures: [Self.aperture])
        bus.writePort(latch, 0xcf8, count: 4)
        #expect(bus.readPort(0xcfc, count: 4) == 0xffff_ffff)
        #expect(bus.readPort(0xcfd, count: 1) == 0xff)
    }

    @Test("accesses that cross a group of four bytes, or are of a wrong width, change nothing")
    func crossing() {
        let bus = PCIBus(apertures: [Self.aperture])
        bus.writePort(0x8000_0000, 0xcf8, count: 4)
        #expect(bus.readPort(0xcfe, count: 4) == 0xffff_ffff)
        #expect(bus.readPort(0xcff, count: 2) == 0xffff)
        #expect(bus.readPort(0xcfc, count: 3) == 0xffff_ffff)
        bus.writePort(0xffff_ffff, 0xcfa, count: 4)
        #expect(bus.readPort(0xcf8, count: 4) == 0x8000_0000)
    }

    @Test("memory-mapped and port accesses reach the same registers")
    func mapped() {
        let bus = PCIBus(apertures: [Self.aperture])
        #expect(bus.readMappedConfiguration(at: 0, count: 4) == 0x1237_8086)
        #expect(bus.readMappedConfiguration(at: 0x2c, count: 4) == 0x1100_1af4)
        #expect(bus.readMappedConfiguration(at: 0x28, count: 8) == 0x1100_1af4_0000_0000)
        #expect(bus.readMappedConfiguration(at: 1 << 12, count: 4) == 0xffff_ffff)
        #expect(bus.readMappedConfiguration(at: 1 << 20, count: 4) == 0xffff_ffff)
        #expect(bus.readMappedConfiguration(at: .max, count: 8) == .max)
        #expect(bus.readMappedConfiguration(at: 0x100, count: 4) == 0)
    }

    @Test("a register's size is probed as drivers do, and its address moves with decoding")
    func sizing() {
        let function = RecordingFunction(size: 0x10000)
        let bus = PCIBus(apertures: [Self.aperture, 0x8000_0000..<0x9000_0000])
        bus.add(function, at: 3)
        #expect(bus.assignAddresses())
        #expect(bus.readConfiguration(device: 3, offset: 0x10, count: 4) == 0xc001_0000)
        #expect(bus.readMemory(at: 0xc001_0000, count: 4) == nil)

        for register in [0x10, 0x14] { bus.writeConfiguration(.max, device: 3, offset: register, count: 4) }
        #expect(bus.readConfiguration(device: 3, offset: 0x10, count: 4) == 0xffff_0000)
        // No firmware puts it above 4 GiB.
        #expect(bus.readConfiguration(device: 3, offset: 0x14, count: 4) == 0)
        bus.writeConfiguration(0xc001_0000, device: 3, offset: 0x10, count: 4)

        bus.writeConfiguration(2, device: 3, offset: 4, count: 2)
        #expect(bus.readMemory(at: 0xc001_0010, count: 4) == 0x10)
        #expect(bus.readMemory(at: 0xc001_fffe, count: 4) == nil)
        bus.writeConfiguration(0x8001_0000, device: 3, offset: 0x10, count: 4)
        #expect(bus.readMemory(at: 0xc001_0010, count: 4) == nil)
        #expect(bus.readMemory(at: 0x8001_0010, count: 4) == 0x10)
        bus.writeConfiguration(0, device: 3, offset: 4, count: 2)
        #expect(bus.readMemory(at: 0x8001_0010, count: 4) == nil)
        #expect(function.moves.withLock { $0 } == [0xc001_0000, 0x8001_0000, nil])
    }

    @Test("a function beside a device's first is found by its number, both ways")
    func beside() {
        let bus = PCIBus(apertures: [Self.aperture])
        bus.add(RecordingFunction(size: 0x1000), at: 1)
        bus.add(ChipsetFunction.powerManagement(ports: 0x600), at: 1, number: 3)
        // As OVMF asks: where ACPI's ports are, and whether they are on.
        bus.writePort(0x8000_0b40, 0xcf8, count: 4)
        #expect(bus.readPort(0xcfc, count: 4) & 0xffc0 == 0x600)
        bus.writePort(0x8000_0b80, 0xcf8, count: 4)
        #expect(bus.readPort(0xcfc, count: 1) & 1 == 1)
        bus.writePort(0, 0xcfc, count: 4)
        #expect(bus.readMappedConfiguration(at: 1 << 15 | 3 << 12 | 0x80, count: 4) == 1)
        // And no other way: neither beside another device, nor as the device's first.
        #expect(bus.readMappedConfiguration(at: 2 << 15 | 3 << 12, count: 4) == 0xffff_ffff)
        #expect(bus.readConfiguration(device: 1, offset: 0, count: 4) == 0x0001_1af4)
        #expect(bus.readConfiguration(device: 1, offset: 0x0c, count: 4) >> 16 & 0x80 == 0)
    }

    @Test("a function placed over RAM, at the end of the address space or over another one answers nowhere")
    func badPlaces() {
        let (first, second) = (RecordingFunction(size: 0x1000), RecordingFunction(size: 0x1000))
        let bus = PCIBus(apertures: [Self.aperture])
        bus.add(first, at: 1)
        bus.add(second, at: 2)
        #expect(bus.assignAddresses())
        for device in [1, 2] { bus.writeConfiguration(2, device: device, offset: 4, count: 2) }
        for low in [0x10_0000, 0xffff_f000, 0xc000_1000, 0xeec0_0000] as [UInt32] {
            bus.writeConfiguration(low, device: 2, offset: 0x10, count: 4)
            #expect(second.moves.withLock { $0.last } == .some(nil))
        }
        #expect(bus.readMemory(at: 0xc000_1000, count: 1) != nil)
    }

    @Test("a reset takes decoding away")
    func reset() {
        let function = RecordingFunction(size: 0x1000)
        let bus = PCIBus(apertures: [Self.aperture])
        bus.add(function, at: 1)
        #expect(bus.assignAddresses())
        bus.writeConfiguration(2, device: 1, offset: 4, count: 2)
        bus.reset()
        #expect(bus.readMemory(at: 0xc000_1000, count: 1) == nil)
        #expect(bus.readPort(0xcf8, count: 4) == 0)
    }
}

/// Answers every read with the offset, and notes where it was put.
final class RecordingFunction: PCIFunction {
    let moves = Mutex<[UInt64?]>([])
    private let configuration: Mutex<ConfigurationSpace>

    init(size: UInt64) {
        var space = ConfigurationSpace(
            vendor: 0x1af4, device: 1, revision: 1, classCode: 0xff_00_00, subsystemVendor: 0, subsystem: 0)
        space.addMemoryBAR(0, size: size)
        configuration = Mutex(space)
    }
    func readConfiguration(at offset: Int, count: Int) -> UInt32 {
        configuration.withLock { $0.read(at: offset, count: count) }
    }
    func writeConfiguration(_ value: UInt32, at offset: Int, count: Int) -> PCIConfigurationEffect {
        configuration.withLock { $0.write(value, at: offset, count: count) }
    }
    var memoryWindows: [PCIMemoryWindow] { configuration.withLock { $0.memoryWindows } }
    var decodesMemory: Bool { configuration.withLock { $0.decodesMemory } }
    func assignAddress(_ address: UInt64, bar: Int) { configuration.withLock { $0.assignAddress(address, bar: bar) } }
    func windowMoved(bar: Int, to address: UInt64?) { moves.withLock { $0.append(address) } }
    func readMemory(bar: Int, offset: UInt64, count: Int) -> UInt64 { offset }
    func writeMemory(_ value: UInt64, bar: Int, offset: UInt64, count: Int) {}
    func reset() { configuration.withLock { _ = $0.write(0, at: 4, count: 2) } }
}
