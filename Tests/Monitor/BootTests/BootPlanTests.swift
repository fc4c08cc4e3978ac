import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Boot

@Suite struct BootPlanTests {
    private let platform = Platform(memory: 5 << 30, processors: 2)

    private func plan(
        _ folder: TemporaryFolder, ramDisk: Int? = nil, commandLine: String = "console=ttyS0", memory: UInt64 = 5 << 30,
        elf: [UInt8] = KernelFixture.elf(), protocol entryProtocol: BootPlan.EntryProtocol = .linux64
    ) throws -> BootPlan {
        let payload = try ChildProcess.run(["gzip", "-c"], input: elf).output
        let file = try folder.file("vmlinuz", KernelFixture.image(payload: payload, unpackedSize: elf.count))
        let disk = try ramDisk.map { try folder.file("initrd", [UInt8](repeating: 7, count: $0)) }
        return try BootPlan(
            Kernel.open(file), initialRAMDisk: disk, commandLine: commandLine,
            platform: Platform(memory: memory, processors: 2), entryProtocol: entryProtocol)
    }

    private func bytes(_ plan: BootPlan, at address: UInt64) throws -> [UInt8] {
        let write = try #require(plan.writes.first { $0.address == address })
        guard case .bytes(let bytes) = write.content else { return [] }
        return bytes
    }

    private func number(_ bytes: [UInt8], _ offset: Int, _ width: Int) -> UInt64 {
        bytes[offset..<offset + width].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    @Test("the zero page has the kernel's header, the command line, the RAM disk and the memory map")
    func zeroPage() throws {
        let folder = try TemporaryFolder()
        let plan = try plan(folder, ramDisk: 5000)
        let page = try bytes(plan, at: 0x7000)
        #expect(page.count == 4096)
        #expect(number(page, 0x202, 4) == 0x5372_6448 && number(page, 0x206, 2) == 0x20f && page[0x210] == 0xff)
        #expect(number(page, 0x228, 4) == 0x20000 && number(page, 0x70, 8) == 0xe0000)
        #expect(try bytes(plan, at: 0x20000) == Array("console=ttyS0".utf8) + [0])
        // As high as the header allows: below 2 GiB, at a page.
        #expect(number(page, 0x218, 4) == 0x7fff_e000 && number(page, 0x21c, 4) == 5000)
        #expect(plan.writes.contains { $0.address == 0x7fff_e000 && $0.count == 5000 })
        let entries = (0..<Int(page[0x1e8])).map { index -> [UInt64] in
            let offset = 0x2d0 + 20 * index
            return [number(page, offset, 8), number(page, offset + 8, 8), number(page, offset + 16, 4)]
        }
        #expect(
            entries == [
                [0, 0x9fc00, 1], [0x9fc00, 0x60400, 2], [0x10_0000, 0xbff0_0000, 1], [0xeec0_0000, 0x10_0000, 2],
                [0x1_0000_0000, 0x8000_0000, 1],
            ])
    }

    @Test("64-bit entry: identity-mapped first GiB, and descriptors for code and data")
    func longMode() throws {
        let folder = try TemporaryFolder()
        let plan = try plan(folder)
        #expect(plan.entry.mode == .long(pageTables: 0x9000) && plan.entry.instructionPointer == 16 << 20)
        let tables = try bytes(plan, at: 0x9000)
        #expect(number(tables, 0, 8) == 0xa003 && number(tables, 0x1000, 8) == 0xb003)
        #expect(number(tables, 0x2000 + 8 * 511, 8) == 511 << 21 | 0x83)
        #expect(number(try bytes(plan, at: 0x500), 8, 8) == 0x00af_9b00_0000_ffff)
    }

    @Test("PVH entry: start information with RAM disk, command line, root pointer and map")
    func startInformation() throws {
        let folder = try TemporaryFolder()
        let plan = try plan(folder, ramDisk: 4096, protocol: .pvh)
        let start = try bytes(plan, at: 0x6000)
        #expect(number(start, 0, 4) == 0x336e_c578 && number(start, 4, 4) == 1 && number(start, 12, 4) == 1)
        #expect(number(start, 24, 8) == 0x20000 && number(start, 32, 8) == 0xe0000 && number(start, 48, 4) == 5)
        #expect(number(start, 0x40, 8) == 0x7fff_f000 && number(start, 0x48, 8) == 4096)
    }

    @Test("what does not fit is refused with the amount that would")
    func memory() throws {
        let folder = try TemporaryFolder()
        #expect(throws: BootError.notEnoughMemory(needed: 16 << 20 + 1, available: 16 << 20)) {
            try plan(folder, memory: 16 << 20)
        }
        #expect(throws: BootError.self) { try plan(folder, ramDisk: 1 << 20, memory: 17 << 20) }
        #expect(throws: BootError.commandLineTooLong(count: 2048, limit: 2047)) {
            try plan(folder, commandLine: String(repeating: "x", count: 2048))
        }
        #expect(throws: BootError.self) { try plan(folder, elf: KernelFixture.elf(address: 0x8000)) }
    }

    @Test("no two writes overlap")
    func disjoint() throws {
        let folder = try TemporaryFolder()
        let sorted = try plan(folder, ramDisk: 100_000).writes.sorted { $0.address < $1.address }
        for (first, second) in zip(sorted, sorted.dropFirst()) {
            #expect(first.address + first.count <= second.address)
        }
    }
}
