/// What a 64-bit Linux kernel gets at its entry: `struct boot_params` (Documentation/arch/x86/zero-page.rst).
struct ZeroPage {
    private(set) var bytes = [UInt8](repeating: 0, count: 4096)

    init(setup: [UInt8]?, commandLineCount: Int, ramDisk: Range<UInt64>?, _ map: MemoryMap) {
        if let setup {
            bytes.replaceSubrange(SetupHeader.offset..<SetupHeader.offset + setup.count, with: setup)
        } else {
            // The least of a header, for an ELF kernel that came without one.
            bytes.put(0xaa55 as UInt16, at: 0x1fe)
            bytes.put(0x5372_6448 as UInt32, at: 0x202)
            bytes.put(0x20c as UInt16, at: 0x206)
            bytes.put(0x20_0000 as UInt32, at: 0x230)
        }
        bytes[0x210] = 0xff  // A loader without a number.
        bytes.put(UInt32(MachineLayout.commandLine), at: 0x228)
        bytes.put(UInt32(commandLineCount), at: 0x238)
        bytes.put(MachineLayout.rootPointer, at: 0x70)
        if let ramDisk {
            bytes.put(UInt32(truncatingIfNeeded: ramDisk.lowerBound), at: 0x218)
            bytes.put(UInt32(truncatingIfNeeded: ramDisk.count), at: 0x21c)
            bytes.put(UInt32(truncatingIfNeeded: ramDisk.lowerBound >> 32), at: 0xc0)
            bytes.put(UInt32(truncatingIfNeeded: UInt64(ramDisk.count) >> 32), at: 0xc4)
        }
        bytes[0x1e8] = UInt8(map.entries.count)
        for (index, entry) in map.entries.enumerated() {
            let offset = 0x2d0 + index * 20
            bytes.put(entry.address, at: offset)
            bytes.put(entry.count, at: offset + 8)
            bytes.put(entry.kind.rawValue, at: offset + 16)
        }
    }
}

/// What a kernel gets at its PVH entry: `struct hvm_start_info` version 1 and what it points to
/// (xen/include/public/arch-x86/hvm/start_info.h).
struct StartInformation {
    /// From ``MachineLayout/startInformation`` on.
    let bytes: [UInt8]

    init(ramDisk: Range<UInt64>?, _ map: MemoryMap) {
        let mapOffset = Int(MachineLayout.startMemoryMap - MachineLayout.startInformation)
        let moduleOffset = Int(MachineLayout.startModules - MachineLayout.startInformation)
        var bytes = [UInt8](repeating: 0, count: mapOffset + map.entries.count * 24)
        bytes.put(0x336e_c578 as UInt32, at: 0)
        bytes.put(1 as UInt32, at: 4)
        if let ramDisk {
            bytes.put(1 as UInt32, at: 12)
            bytes.put(MachineLayout.startModules, at: 16)
            bytes.put(ramDisk.lowerBound, at: moduleOffset)
            bytes.put(UInt64(ramDisk.count), at: moduleOffset + 8)
        }
        bytes.put(MachineLayout.commandLine, at: 24)
        bytes.put(MachineLayout.rootPointer, at: 32)
        bytes.put(MachineLayout.startMemoryMap, at: 40)
        bytes.put(UInt32(map.entries.count), at: 48)
        for (index, entry) in map.entries.enumerated() {
            bytes.put(entry.address, at: mapOffset + index * 24)
            bytes.put(entry.count, at: mapOffset + index * 24 + 8)
            bytes.put(entry.kind.rawValue, at: mapOffset + index * 24 + 16)
        }
        self.bytes = bytes
    }
}

/// What the processor needs to be in 64-bit mode before the kernel has tables of its own.
enum StartTables {
    /// Null, 64-bit code, data, task state.
    static var descriptors: [UInt8] {
        var bytes: [UInt8] = []
        for descriptor in [0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff, 0x008f_8b00_0000_ffff] as [UInt64] {
            bytes.append(little: descriptor)
        }
        return bytes
    }

    /// Three levels that map the first GiB to itself, in pages of 2 MiB.
    static var pages: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 3 * 4096)
        bytes.put(MachineLayout.pageTables + 0x1000 | 3, at: 0)
        bytes.put(MachineLayout.pageTables + 0x2000 | 3, at: 0x1000)
        for index in 0..<512 { bytes.put(UInt64(index) << 21 | 0x83, at: 0x2000 + index * 8) }
        return bytes
    }
}
