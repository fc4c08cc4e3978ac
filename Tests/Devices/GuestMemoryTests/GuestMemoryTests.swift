import GuestMemory
import LinuxSystem
import Testing

@Suite struct GuestMemoryTests {
    static let gibibyte: UInt64 = 1 << 30

    @Test("loads and stores are little-endian and need no alignment")
    func integers() throws {
        let memory = try GuestMemory(byteCount: 1 << 20)
        try memory.store(UInt32(0x1122_3344), at: 0x1001)
        #expect(try memory.loadBytes(at: 0x1001, count: 4) == [0x44, 0x33, 0x22, 0x11])
        #expect(try memory.load(UInt16.self, at: 0x1003) == 0x1122)
    }

    @Test(
        "refuses every access that leaves RAM",
        arguments: [
            (1 << 20, 1), ((1 << 20) - 3, 4), (0, (1 << 20) + 1), (.max, 1), (.max, .max), (0, -1), (.max - 3, 8),
            (4 << 30, 1),
        ] as [(UInt64, Int)])
    func outOfRange(address: UInt64, count: Int) throws {
        let memory = try GuestMemory(byteCount: 1 << 20)
        #expect(!memory.contains(address, count: count))
        #expect(throws: GuestMemoryError.outOfRange(address: address, count: count)) {
            _ = try memory.loadBytes(at: address, count: count)
        }
    }

    @Test("RAM beyond 3 GiB goes on at 4 GiB, and nothing crosses the hole")
    func hole() throws {
        let memory = try GuestMemory(byteCount: 4 * Self.gibibyte)
        let regions = memory.regions.map { [$0.guestAddress, $0.byteCount] }
        #expect(regions == [[0, 3 * Self.gibibyte], [4 * Self.gibibyte, Self.gibibyte]])
        #expect(memory.contains(3 * Self.gibibyte - 8, count: 8))
        #expect(!memory.contains(3 * Self.gibibyte - 8, count: 9))
        #expect(!memory.contains(3 * Self.gibibyte, count: 1))
        #expect(!memory.contains(4 * Self.gibibyte - 1, count: 2))
        #expect(memory.contains(5 * Self.gibibyte - 1, count: 1))
        #expect(!memory.contains(5 * Self.gibibyte - 1, count: 2))
        try memory.store(UInt64(42), at: 4 * Self.gibibyte)
        #expect(try memory.load(UInt64.self, at: 4 * Self.gibibyte) == 42)
        #expect(try memory.load(UInt64.self, at: 0) == 0)
    }

    @Test("refuses sizes that are not whole pages", arguments: [0, 1, 4095, 4097, .max] as [UInt64])
    func sizes(count: UInt64) {
        #expect(throws: SystemError.self) { _ = try GuestMemory(byteCount: count) }
    }

    @Test("an atomic access is aligned and in RAM")
    func atomics() throws {
        let memory = try GuestMemory(byteCount: 1 << 16)
        try memory.storeReleasing16(0xbeef, at: 2)
        #expect(try memory.loadAcquiring16(at: 2) == 0xbeef)
        #expect(throws: GuestMemoryError.misaligned(address: 3)) { _ = try memory.loadAcquiring16(at: 3) }
        #expect(throws: GuestMemoryError.outOfRange(address: 1 << 16, count: 2)) {
            _ = try memory.loadAcquiring16(at: 1 << 16)
        }
    }

    @Test("discarding zeroes whole pages and leaves their neighbours")
    func discard() throws {
        let memory = try GuestMemory(byteCount: 1 << 20)
        try memory.fill(at: 0, count: 1 << 20, with: 0x5a)
        #expect(try memory.discard(at: 0x1800, count: 0x3000) == 0x2000)
        #expect(try memory.load(UInt8.self, at: 0x1fff) == 0x5a)
        #expect(try memory.load(UInt8.self, at: 0x2000) == 0)
        #expect(try memory.load(UInt8.self, at: 0x3fff) == 0)
        #expect(try memory.load(UInt8.self, at: 0x4000) == 0x5a)
        #expect(try memory.discard(at: 0x1800, count: 0x1000) == 0)
        #expect(throws: GuestMemoryError.self) { _ = try memory.discard(at: 0xff000, count: 0x2000) }
    }
}
