/// Guests of a few instructions, and the machine code they are made of.
public enum TinyGuest {
    /// A kernel that consists of `code`: an ELF file (System V ABI, chapter 4) that is entered in 64-bit mode at 16
    /// MiB.
    public static func kernel(_ code: [UInt8]) -> [UInt8] {
        func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }
        let address: UInt64 = 16 << 20
        var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        file += little(2 as UInt16) + little(62 as UInt16) + little(1 as UInt32)
        file += little(address) + little(64 as UInt64) + little(0 as UInt64) + little(0 as UInt32)
        file += little(64 as UInt16) + little(56 as UInt16) + little(1 as UInt16) + [UInt8](repeating: 0, count: 6)
        file += little(1 as UInt32) + little(7 as UInt32) + little(120 as UInt64) + little(address) + little(address)
        file += little(UInt64(code.count)) + little(UInt64(code.count)) + little(4096 as UInt64)
        return file + code
    }

    /// Writes one byte to a port: `mov dx, port; mov al, value; out dx, al`.
    public static func out(_ port: UInt16, _ value: UInt8) -> [UInt8] {
        [0x66, 0xba, UInt8(truncatingIfNeeded: port), UInt8(port >> 8), 0xb0, value, 0xee]
    }
    /// To the serial port.
    public static func print(_ text: String) -> [UInt8] { text.utf8.flatMap { out(0x3f8, $0) } }
    public static let powerOff = out(0x600, 0x34) + loop
    public static let reset = out(0x600, 1)
    /// `jmp` to itself.
    public static let loop: [UInt8] = [0xeb, 0xfe]
}
