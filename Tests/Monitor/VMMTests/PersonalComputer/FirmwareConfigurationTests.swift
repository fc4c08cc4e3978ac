import Boot
import GuestMemory
import Testing

@testable import VMM

@Suite struct FirmwareConfigurationTests {
    private let memory: GuestMemory
    private let device: FirmwareConfiguration

    init() throws {
        memory = try GuestMemory(byteCount: 1 << 20)
        let plan = FirmwarePlan(Platform(.personalComputer, memory: 1 << 30, processors: 3), disks: [1])
        device = FirmwareConfiguration(plan, memory: memory)
    }

    private func select(_ key: UInt16) { device.write(UInt32(key), at: 0, width: 2) }
    private func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: device.read(at: 1, width: 1)) }
    }

    /// Has the device obey a command that is put at 0x1000.
    /// - Returns: What it leaves in the command's first word.
    private func command(_ control: UInt32, length: UInt32, target: UInt64, at address: UInt64 = 0x1000) throws
        -> UInt32
    {
        if memory.contains(address, count: 16) {
            try memory.store(control.bigEndian, at: address)
            try memory.store(length.bigEndian, at: address + 4)
            try memory.store(target.bigEndian, at: address + 8)
        }
        device.write(UInt32(address >> 32).byteSwapped, at: 4, width: 4)
        device.write(UInt32(truncatingIfNeeded: address).byteSwapped, at: 8, width: 4)
        guard memory.contains(address, count: 4) else { return .max }
        return UInt32(bigEndian: try memory.load(at: address))
    }

    @Test("it shows itself, counts processors, and reads as zeros elsewhere and behind the end")
    func items() {
        select(0)
        #expect(bytes(6) == Array("QEMU".utf8) + [0, 0])
        select(0)
        #expect(bytes(4) == Array("QEMU".utf8))
        select(0x05)
        #expect(bytes(2) == [3, 0])
        for key: UInt16 in [0x04, 0x0e, 0x8000, 0xffff] {
            select(key)
            #expect(bytes(4) == [0, 0, 0, 0])
        }
        #expect(device.read(at: 4, width: 4) == 0x554d_4551)
        #expect(device.read(at: 8, width: 4) == 0x4746_4320)
    }

    @Test("the directory leads to each file by its name")
    func directory() throws {
        select(0x19)
        let head = bytes(4)
        let count = head.reduce(0) { $0 << 8 | Int($1) }
        var files: [String: (size: Int, key: UInt16)] = [:]
        for _ in 0..<count {
            let entry = bytes(64)
            let name = String(decoding: entry[8...].prefix { $0 != 0 }, as: UTF8.self)
            files[name] = (entry[..<4].reduce(0) { $0 << 8 | Int($1) }, UInt16(entry[4]) << 8 | UInt16(entry[5]))
        }
        let order = try #require(files["bootorder"])
        select(order.key)
        #expect(String(decoding: bytes(order.size), as: UTF8.self) == "/pci@i0cf8/scsi@1/disk@0,0\nHALT\0")
        #expect(files["etc/e820"]?.size == 3 * 20)
        #expect(files["etc/table-loader"].map { $0.size % 128 } == 0)
        #expect(files["etc/sercon-port"] != nil && files["etc/acpi/rsdp"]?.size == 36)
    }

    @Test("a command selects, skips, reads and fills with zeros")
    func commands() throws {
        try memory.fill(at: 0x2000, count: 16, with: 0xaa)
        #expect(try command(0x0000_000a, length: 6, target: 0x2000) == 0)
        #expect(try memory.loadBytes(at: 0x2000, count: 7) == Array("QEMU".utf8) + [0, 0, 0xaa])
        #expect(try command(0x0000_000c, length: 2, target: 0) == 0)
        #expect(try command(0x0000_0002, length: 1, target: 0x2000) == 0)
        #expect(try memory.load(UInt8.self, at: 0x2000) == UInt8(ascii: "M"))
        #expect(try command(0x0000_000c, length: 1 << 20, target: 0) == 0)
        #expect(bytes(1) == [0])
    }

    @Test("a command that would write, is too long or leaves memory is refused, and nothing else happens")
    func refused() throws {
        try memory.fill(at: 0xff000, count: 4096, with: 0xaa)
        for (control, length, target): (UInt32, UInt32, UInt64) in [
            (0x10, 4, 0x2000), (0x12, 4, 0x2000), (0x0000_000a, (1 << 20) + 1, 0), (0x0000_000a, 4, 0xffffe),
            (0x0000_000a, 1 << 20, 0x1000), (0x0000_000a, 4, .max), (0x0000_000a, 4, 1 << 40),
        ] {
            #expect(try command(control, length: length, target: target) == 1, "\(control) \(length) \(target)")
        }
        #expect(try memory.load(UInt8.self, at: 0xfffff) == 0xaa)
        // The command itself is nowhere.
        #expect(try command(0x0a, length: 4, target: 0x2000, at: 1 << 50) == .max)
        select(0)
        #expect(bytes(4) == Array("QEMU".utf8))
    }
}
