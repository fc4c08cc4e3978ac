/// A small ELF kernel and bzImages that hold it, built field by field from their specifications.
enum KernelFixture {
    static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }

    /// An ELF file of one segment at 16 MiB with `code`, and a Xen note that names the entry.
    static func elf(
        code: [UInt8] = [0xf4], address: UInt64 = 16 << 20, memoryCount: UInt64? = nil, entry: UInt64 = 16 << 20,
        segmentOffset: UInt64 = 0x200, noteEntry: UInt32 = 0x100_0850
    ) -> [UInt8] {
        var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        file += little(2 as UInt16) + little(62 as UInt16) + little(1 as UInt32)
        file += little(entry) + little(64 as UInt64) + little(0 as UInt64) + little(0 as UInt32)
        file += little(64 as UInt16) + little(56 as UInt16) + little(2 as UInt16) + little(64 as UInt16)
        file += little(0 as UInt32)
        let size = UInt64(code.count)
        file += little(1 as UInt32) + little(5 as UInt32) + little(segmentOffset) + little(address) + little(address)
        file += little(size) + little(memoryCount ?? size) + little(4096 as UInt64)
        file += little(4 as UInt32) + little(4 as UInt32) + little(0x100 as UInt64) + little(0 as UInt64)
        file += little(0 as UInt64) + little(20 as UInt64) + little(20 as UInt64) + little(4 as UInt64)
        file += [UInt8](repeating: 0, count: 0x100 - file.count)
        file += little(4 as UInt32) + little(4 as UInt32) + little(18 as UInt32) + [0x58, 0x65, 0x6e, 0]
        file += little(noteEntry)
        file += [UInt8](repeating: 0, count: 0x200 - file.count)
        return file + code
    }

    /// An ELF file with `count` headers that each load all of it, one behind the other from 16 MiB on.
    static func repeatedELF(byteCount: Int, headers count: Int) -> [UInt8] {
        var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        file += little(2 as UInt16) + little(62 as UInt16) + little(1 as UInt32)
        file += little(UInt64(16 << 20)) + little(64 as UInt64) + little(0 as UInt64) + little(0 as UInt32)
        file += little(64 as UInt16) + little(56 as UInt16) + little(UInt16(count)) + little(64 as UInt16)
        file += little(0 as UInt32)
        for index in 0..<count {
            let address = UInt64(16 << 20 + index * byteCount)
            file += little(1 as UInt32) + little(5 as UInt32) + little(0 as UInt64) + little(address) + little(address)
            file += little(UInt64(byteCount)) + little(UInt64(byteCount)) + little(4096 as UInt64)
        }
        return file + [UInt8](repeating: 1, count: byteCount - file.count)
    }

    /// A bzImage of protocol 2.15 with one setup sector, whose protected-mode part is `payload` behind 64 bytes.
    static func image(payload: [UInt8], unpackedSize: Int, version: UInt16 = 0x20f, flags: UInt16 = 0x7f) -> [UInt8] {
        var setup = [UInt8](repeating: 0, count: 1024)
        func put(_ bytes: [UInt8], _ offset: Int) { setup.replaceSubrange(offset..<offset + bytes.count, with: bytes) }
        put([1], 0x1f1)
        put(little(0xaa55 as UInt16), 0x1fe)
        put([0xeb, 0x6a], 0x200)
        put(Array("HdrS".utf8), 0x202)
        put(little(version), 0x206)
        put(little(0x7fff_ffff as UInt32), 0x22c)
        put(little(flags), 0x236)
        put(little(2047 as UInt32), 0x238)
        put(little(64 as UInt32), 0x248)
        put(little(UInt32(payload.count + 4)), 0x24c)
        put(little(0x100_0000 as UInt64), 0x258)
        put(little(0x20_0000 as UInt32), 0x260)
        return setup + [UInt8](repeating: 0, count: 64) + payload + little(UInt32(unpackedSize))
    }
}
