import Testing

@testable import Provider

@Suite struct BootSectorsTests {
    private static let systemPartition: [UInt8] = [
        0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b,
    ]

    /// The first sectors of a disk.
    private func disk(
        code: UInt8 = 0, signature: Bool = true, types: [UInt8] = [], gpt: [[UInt8]]? = nil, at first: Int = 2,
        size: Int = 128
    ) -> BootSectors {
        var bytes = [UInt8](repeating: 0, count: BootSectors.count)
        bytes[3] = code
        for (index, type) in types.enumerated() { bytes[446 + 16 * index + 4] = type }
        if signature { (bytes[510], bytes[511]) = (0x55, 0xaa) }
        if let gpt {
            bytes.replaceSubrange(512..<520, with: "EFI PART".utf8)
            (bytes[512 + 72], bytes[512 + 80], bytes[512 + 84]) = (UInt8(first), 128, UInt8(size & 0xff))
            for (index, type) in gpt.enumerated() where first * 512 + index * 128 + 16 <= bytes.count {
                bytes.replaceSubrange(first * 512 + index * 128..<first * 512 + index * 128 + 16, with: type)
            }
        }
        return BootSectors(bytes)
    }

    @Test("a boot sector with code is BIOS's, beside an EFI system partition too")
    func bios() {
        #expect(disk(code: 0xeb, types: [0x83]).firmware == .bios)
        #expect(disk(code: 0xeb, types: [0xee], gpt: [Self.systemPartition]).firmware == .bios)
    }

    @Test("an EFI system partition without code in the boot sector is UEFI's, in either table")
    func uefi() {
        let other = [UInt8](repeating: 7, count: 16)
        #expect(disk(types: [0xee], gpt: [Self.systemPartition]).firmware == .uefi)
        #expect(disk(types: [0xee], gpt: [other, other, Self.systemPartition]).firmware == .uefi)
        #expect(disk(types: [0x83, 0xef]).firmware == .uefi)
    }

    @Test("nothing else starts, however damaged the tables are")
    func none() {
        #expect(disk(types: [0x83]).firmware == nil)
        #expect(disk(code: 0xeb, signature: false).firmware == nil)
        #expect(disk(types: [0xee], gpt: []).firmware == nil)
        #expect(disk(types: [0xee], gpt: [Self.systemPartition], at: 200).firmware == nil)
        #expect(disk(types: [0xee], gpt: [Self.systemPartition], size: 16).firmware == nil)
        for count in [0, 1, 511, 512, 600, 1024] {
            #expect(BootSectors([UInt8](repeating: 0, count: count)).firmware == nil)
        }
        var short = [UInt8](repeating: 0, count: 512)
        (short[510], short[511], short[450]) = (0x55, 0xaa, 0xee)
        #expect(BootSectors(short).firmware == nil)
        // A header whose numbers are as large as can be.
        var large = short + Array("EFI PART".utf8) + [UInt8](repeating: 0xff, count: 504)
        #expect(BootSectors(large).firmware == nil)
        large.replaceSubrange(512 + 72..<512 + 80, with: [2, 0, 0, 0, 0, 0, 0, 0])
        #expect(BootSectors(large).firmware == nil)
    }
}
