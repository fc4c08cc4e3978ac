import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Boot

@Suite struct FirmwarePlanTests {
    private func plan(memory: UInt64 = 5 << 30, processors: Int = 2) -> FirmwarePlan {
        FirmwarePlan(Platform(.personalComputer, memory: memory, processors: processors), disks: [1, 17])
    }
    private func file(_ name: String, _ plan: FirmwarePlan) throws -> [UInt8] {
        try #require(plan.files.first { $0.name == name }).bytes
    }

    /// What firmware does with the script (SeaBIOS, src/fw/romfile_loader.c).
    private struct Loader {
        var files: [String: [UInt8]] = [:]
        let addresses = ["etc/acpi/rsdp": 0xf_5000 as UInt64, "etc/acpi/tables": 0x3ffe_0000]

        mutating func run(_ script: [UInt8], _ contents: (String) throws -> [UInt8]) throws {
            func number(_ entry: ArraySlice<UInt8>, _ offset: Int) -> Int {
                entry[entry.startIndex + offset..<entry.startIndex + offset + 4].reversed().reduce(0) {
                    $0 << 8 | Int($1)
                }
            }
            func name(_ entry: ArraySlice<UInt8>, _ offset: Int) -> String {
                String(decoding: entry[(entry.startIndex + offset)...].prefix { $0 != 0 }, as: UTF8.self)
            }
            try #require(script.count % 128 == 0)
            for start in stride(from: 0, to: script.count, by: 128) {
                let entry = script[start..<start + 128]
                let first = name(entry, 4)
                switch number(entry, 0) {
                case 1:
                    #expect(files[first] == nil)
                    files[first] = try contents(first)
                case 2:
                    let (offset, width) = (number(entry, 116), Int(entry[start + 120]))
                    var value: UInt64 = 0
                    for byte in 0..<width {
                        value |= UInt64(try #require(files[first])[offset + byte]) << UInt64(8 * byte)
                    }
                    value += try #require(addresses[name(entry, 60)])
                    for byte in 0..<width {
                        files[first]?[offset + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
                    }
                case 3:
                    let (offset, from, count) = (number(entry, 60), number(entry, 64), number(entry, 68))
                    let sum = try #require(files[first])[from..<from + count].reduce(0, &+) as UInt8
                    files[first]?[offset] &-= sum
                case let other: Issue.record("command \(other)")
                }
            }
        }
    }

    @Test("the loader's script leads from the root to every table, each with a right sum", arguments: [1, 4, 254])
    func script(processors: Int) throws {
        let plan = plan(processors: processors)
        var loader = Loader()
        try loader.run(try file("etc/table-loader", plan)) { try file($0, plan) }
        let (root, tables) = try (
            #require(loader.files["etc/acpi/rsdp"]), #require(loader.files["etc/acpi/tables"])
        )
        #expect(root.prefix(20).reduce(0, &+) == 0 as UInt8 && root.reduce(0, &+) == 0 as UInt8)
        func number(_ bytes: [UInt8], _ offset: Int, _ width: Int) -> UInt64 {
            bytes[offset..<offset + width].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        func table(_ address: UInt64) throws -> (name: String, bytes: [UInt8]) {
            let start = try #require(Int(exactly: address - 0x3ffe_0000))
            let count = Int(number(tables, start + 4, 4))
            let bytes = Array(tables[start..<start + count])
            #expect(bytes.reduce(0, &+) == 0 as UInt8)
            return (String(decoding: bytes.prefix(4), as: UTF8.self), bytes)
        }
        for (offset, width, name) in [(16, 4, "RSDT"), (24, 8, "XSDT")] {
            let list = try table(number(root, offset, width))
            #expect(list.name == name)
            let entries = try stride(from: 36, to: list.bytes.count, by: width).map {
                try table(number(list.bytes, $0, width))
            }
            #expect(entries.map(\.name) == ["FACP", "APIC", "MCFG"])
            let fixed = try #require(entries.first).bytes
            #expect(try table(number(fixed, 40, 4)).name == "DSDT" && table(number(fixed, 140, 8)).name == "DSDT")
            // Not hardware-reduced, with a fixed power button: Linux must mask the 8259 that a BIOS leaves on.
            #expect(number(fixed, 112, 4) & (1 << 20 | 1 << 4) == 0 && number(fixed, 46, 2) == 9)
            #expect(entries[1].bytes[40] & 1 == 1)
        }
    }

    @Test("ACPI's own compiler reads the tables of a personal computer, and finds its devices")
    func disassembly() throws {
        let folder = try TemporaryFolder()
        for table in ACPITables(Platform(.personalComputer, memory: 1 << 30, processors: 2)).tables.dropLast() {
            let path = try folder.file("\(table.name.lowercased()).dat", table.bytes)
            let result = try ChildProcess.run(["iasl", "-d", path.string])
            let text = String(decoding: result.output + result.error, as: UTF8.self)
            #expect(result.outcome.isSuccess && !text.contains("Invalid"), "\(text)")
        }
        let source = String(decoding: try FileSystem.read(folder("dsdt.dsl"), limit: 1 << 20), as: UTF8.self)
        for name in ["PNP0A08", "PNP0C02", "PNP0501", "PNP0B00", "_S5"] { #expect(source.contains(name), "\(name)") }
        #expect(!source.contains("ACPI0013"))
    }

    @Test("the memory map has RAM below and above 4 GiB, and what devices must not use", arguments: [1, 3, 5])
    func memory(gibibytes: UInt64) throws {
        let bytes = try file("etc/e820", plan(memory: gibibytes << 30))
        var total: UInt64 = 0
        var ranges: [Range<UInt64>] = []
        for start in stride(from: 0, to: bytes.count, by: 20) {
            let values = [0, 8, 16].map { offset in
                bytes[start + offset..<start + offset + (offset == 16 ? 4 : 8)].reversed().reduce(0) {
                    $0 << 8 | UInt64($1)
                }
            }
            if values[2] == 1 { total += values[1] }
            ranges.append(values[0]..<values[0] + values[1])
        }
        #expect(total == gibibytes << 30)
        for (index, range) in ranges.enumerated() {
            #expect(!ranges[(index + 1)...].contains { $0.overlaps(range) })
        }
        let platform = Platform(.personalComputer, memory: gibibytes << 30, processors: 1)
        for window in platform.deviceWindows { #expect(!ranges.contains { $0.overlaps(window) }) }
    }

    @Test("disks are tried in their order, and nothing after them")
    func order() throws {
        let text = String(decoding: try file("bootorder", plan()).dropLast(), as: UTF8.self)
        #expect(text == "/pci@i0cf8/scsi@1/disk@0,0\n/pci@i0cf8/scsi@11/disk@0,0\nHALT")
    }

    @Test("an image is known by its first bytes, ends at 4 GiB, and a BIOS is also below 1 MiB")
    func image() throws {
        let folder = try TemporaryFolder()
        let bios = try FirmwareImage(try folder.file("bios", [UInt8](repeating: 1, count: 256 << 10)))
        #expect(bios.kind == .bios && bios.address == 0xfffc_0000 && bios.shadow?.address == 0xc0000)
        let small = try FirmwareImage(try folder.file("small", [UInt8](repeating: 1, count: 128 << 10)))
        #expect(small.shadow?.address == 0xe0000 && small.shadow?.count == 128 << 10)
        var volume = [UInt8](repeating: 0xff, count: 4 << 20)
        volume.replaceSubrange(40..<44, with: "_FVH".utf8)
        let uefi = try FirmwareImage(try folder.file("uefi", volume))
        #expect(uefi.kind == .uefi && uefi.shadow == nil && uefi.address == 0xffc0_0000)
        for count in [0, 100, 65_537, (16 << 20) + 65_536] {
            let path = try folder.file("wrong", [UInt8](repeating: 0, count: count))
            #expect(throws: BootError.notFirmware(path, size: UInt64(count))) { try FirmwareImage(path) }
        }
    }
}
