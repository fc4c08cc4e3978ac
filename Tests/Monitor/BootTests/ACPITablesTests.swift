import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Boot

@Suite struct ACPITablesTests {
    private func tables(processors: Int = 2) -> [(name: String, address: UInt64, bytes: [UInt8])] {
        let tables = ACPITables(Platform(memory: 512 << 20, processors: processors))
        return zip(tables.tables, tables.placed()).map { table, write in
            guard case .bytes(let bytes) = write.content else { return (table.name, write.address, []) }
            return (table.name, write.address, bytes)
        }
    }

    @Test("every table's bytes sum to zero, the root pointer's first 20 too")
    func checksums() {
        for table in tables() {
            #expect(table.bytes.reduce(0, &+) == 0 as UInt8, "\(table.name)")
            if table.name == "RSDP" { #expect(table.bytes.prefix(20).reduce(0, &+) == 0 as UInt8) }
        }
    }

    @Test("following the pointers from the root reaches every table by its signature")
    func pointers() throws {
        let all = tables()
        func at(_ address: UInt64) throws -> (name: String, address: UInt64, bytes: [UInt8]) {
            try #require(all.first { $0.address == address })
        }
        func pointer(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
            bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        let root = try at(0xe0000)
        let list = try at(pointer(root.bytes, 24))
        #expect(list.name == "XSDT")
        let names = try stride(from: 36, to: list.bytes.count, by: 8).map { try at(pointer(list.bytes, $0)).name }
        #expect(names == ["FACP", "APIC", "MCFG"])
        let fixed = try #require(all.first { $0.name == "FACP" })
        #expect(fixed.bytes.count == 276)
        #expect(try at(pointer(fixed.bytes, 140)).name == "DSDT")
    }

    @Test("tables stay inside the reserved range, also with the most processors")
    func placement() {
        for table in tables(processors: 254) where table.name != "RSDP" {
            #expect(table.address >= 0x9fc00 && table.address + UInt64(table.bytes.count) <= 0xe0000)
        }
    }

    @Test("ACPI's own compiler reads every table without a complaint, and finds the devices")
    func disassembly() throws {
        let scratch = try TemporaryFolder()
        let folder = scratch.path
        for table in tables() where table.name != "RSDP" {
            let file = folder.appending("\(table.name.lowercased()).dat")
            try AtomicFile.write(table.bytes, to: file)
            let result = try iasl(["-d", file.string])
            #expect(result.isSuccess, "\(result.text)")
            #expect(!result.text.contains("Error") && !result.text.contains("Invalid"), "\(result.text)")
        }
        let source = String(decoding: try FileSystem.read(folder.appending("dsdt.dsl")), as: UTF8.self)
        for name in ["PNP0A08", "PNP0C02", "PNP0501", "PNP0C0C", "ACPI0013", "_S5", "Notify (\\_SB.PWRB, 0x80)"] {
            #expect(source.contains(name), "\(name)")
        }
        // What was taken apart can be put together again.
        let again = try iasl(["-p", folder.appending("again").string, folder.appending("dsdt.dsl").string])
        #expect(again.isSuccess && again.text.contains("0 Errors"), "\(again.text)")
    }

    private func iasl(_ arguments: [String]) throws -> (isSuccess: Bool, text: String) {
        let result = try ChildProcess.run(["iasl"] + arguments)
        return (result.outcome.isSuccess, String(decoding: result.output + result.error, as: UTF8.self))
    }
}
