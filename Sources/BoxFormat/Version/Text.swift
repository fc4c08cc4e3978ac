import Reporting

extension UInt8 {
    var isASCIIDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isASCIILetterOrDigit: Bool {
        isASCIIDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
    }
}

extension String {
    /// Without space at its ends.
    var trimmed: String {
        let spaces: Set<Character> = [" ", "\t", "\n", "\r", "\r\n"]
        return String(drop { spaces.contains($0) }.reversed().drop { spaces.contains($0) }.reversed())
    }
}

extension Sequence<UInt8> {
    /// The bytes as text for a message: what is not printable ASCII is shown as `\xNN`.
    var shown: String {
        map { byte in
            (0x20..<0x7f).contains(byte)
                ? String(Unicode.Scalar(byte)) : "\\x" + hexadecimal([byte])
        }.joined()
    }
}
