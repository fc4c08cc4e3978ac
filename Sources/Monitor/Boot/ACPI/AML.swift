/// Builds ACPI Machine Language (ACPI 6.5, chapter 20). Each function returns the bytes of one term.
enum AML {
    typealias Term = [UInt8]

    /// A path of names, each padded to four characters: `\_SB` or `PC00`.
    static func path(_ text: String) -> Term {
        var rest = Substring(text)
        var term: Term = []
        if rest.first == "\\" {
            term.append(UInt8(ascii: "\\"))
            rest = rest.dropFirst()
        }
        let names = rest.split(separator: ".").map { Array($0.utf8.prefix(4)) }
        switch names.count {
        case 0: term.append(0)
        case 1: break
        case 2: term.append(0x2e)
        default: term += [0x2f, UInt8(truncatingIfNeeded: names.count)]
        }
        for name in names { term += name + [UInt8](repeating: UInt8(ascii: "_"), count: 4 - name.count) }
        return term
    }

    static func integer(_ value: UInt64) -> Term {
        var term: Term = []
        switch value {
        case 0: return [0x00]
        case 1: return [0x01]
        case ...0xff: return [0x0a, UInt8(value)]
        case ...0xffff:
            term.append(0x0b)
            term.append(little: UInt16(value))
        case ...0xffff_ffff:
            term.append(0x0c)
            term.append(little: UInt32(value))
        default:
            term.append(0x0e)
            term.append(little: value)
        }
        return term
    }

    static func string(_ text: String) -> Term { [0x0d] + Array(text.utf8) + [0] }

    /// A hardware identifier of three letters and four hexadecimal digits, such as PNP0A08, in its packed form.
    static func identifier(_ text: String) -> Term {
        let bytes = Array(text.utf8)
        guard bytes.count == 7, let product = UInt16(text.suffix(4), radix: 16) else { return string(text) }
        let vendor = bytes.prefix(3).reduce(0 as UInt16) { $0 << 5 | UInt16($1 &- 0x40) & 0x1f }
        return [
            0x0c, UInt8(truncatingIfNeeded: vendor >> 8), UInt8(truncatingIfNeeded: vendor),
            UInt8(truncatingIfNeeded: product >> 8), UInt8(truncatingIfNeeded: product),
        ]
    }

    static func name(_ path: String, _ value: Term) -> Term { [0x08] + self.path(path) + value }
    static func scope(_ path: String, _ terms: [Term]) -> Term { [0x10] + sized(self.path(path) + terms.joined()) }
    static func device(_ path: String, _ terms: [Term]) -> Term {
        [0x5b, 0x82] + sized(self.path(path) + terms.joined())
    }
    static func package(_ elements: [Term]) -> Term {
        [0x12] + sized([UInt8(truncatingIfNeeded: elements.count)] + elements.joined())
    }
    static func buffer(_ bytes: [UInt8]) -> Term { [0x11] + sized(integer(UInt64(bytes.count)) + bytes) }

    /// A method with up to 7 arguments that is not serialized.
    static func method(_ path: String, arguments: UInt8, serialized: Bool = false, _ terms: [Term]) -> Term {
        [0x14] + sized(self.path(path) + [arguments & 7 | (serialized ? 8 : 0)] + terms.joined())
    }
    static func argument(_ index: UInt8) -> Term { [0x68 + index & 7] }
    static func isEqual(_ left: Term, _ right: Term) -> Term { [0x93] + left + right }
    static func when(_ condition: Term, _ terms: [Term]) -> Term { [0xa0] + sized(condition + terms.joined()) }
    static func giveBack(_ value: Term) -> Term { [0xa4] + value }
    static func notify(_ path: String, _ value: UInt64) -> Term { [0x86] + self.path(path) + integer(value) }

    /// A body behind its length, which counts its own bytes (section 20.2.4).
    private static func sized(_ body: [UInt8]) -> Term {
        if body.count + 1 < 0x40 { return [UInt8(body.count + 1)] + body }
        for extra in 1...3 {
            let count = body.count + 1 + extra
            guard count < 1 << (4 + 8 * extra) else { continue }
            var term: Term = [UInt8(extra << 6) | UInt8(count & 0xf)]
            for byte in 0..<extra { term.append(UInt8(truncatingIfNeeded: count >> (4 + 8 * byte))) }
            return term + body
        }
        return body
    }
}

/// Builds resource descriptors (ACPI 6.5, section 6.4).
enum ACPIResource {
    static func template(_ resources: [[UInt8]]) -> AML.Term { AML.buffer(resources.joined() + [0x79, 0x00]) }

    static func ports(_ range: ClosedRange<UInt16>) -> [UInt8] {
        var bytes: [UInt8] = [0x47, 0x01]  // Decodes 16 bits.
        bytes.append(little: range.lowerBound)
        bytes.append(little: range.lowerBound)
        return bytes + [1, UInt8(truncatingIfNeeded: range.count)]
    }

    static func fixedMemory(_ range: Range<UInt64>) -> [UInt8] {
        var bytes: [UInt8] = [0x86, 0x09, 0x00, 0x01]
        bytes.append(little: UInt32(truncatingIfNeeded: range.lowerBound))
        bytes.append(little: UInt32(truncatingIfNeeded: range.count))
        return bytes
    }

    /// An edge-triggered, active-high interrupt for this device alone.
    static func interrupt(_ number: UInt32) -> [UInt8] {
        var bytes: [UInt8] = [0x89, 0x06, 0x00, 0x03, 0x01]
        bytes.append(little: number)
        return bytes
    }

    static func buses(_ range: ClosedRange<UInt16>) -> [UInt8] {
        var bytes: [UInt8] = [0x88, 0x0d, 0x00, 0x02, 0x0c, 0x00]
        for value in [0, range.lowerBound, range.upperBound, 0, UInt16(range.count)] { bytes.append(little: value) }
        return bytes
    }

    /// Ports that the bridge passes on.
    static func portWindow(_ range: ClosedRange<UInt16>) -> [UInt8] {
        var bytes: [UInt8] = [0x88, 0x0d, 0x00, 0x01, 0x0c, 0x03]
        for value in [0, range.lowerBound, range.upperBound, 0, UInt16(truncatingIfNeeded: range.count)] {
            bytes.append(little: value)
        }
        return bytes
    }

    /// Memory below 4 GiB that the bridge passes on; not cacheable, writable.
    static func memoryWindow(_ range: Range<UInt64>) -> [UInt8] {
        var bytes: [UInt8] = [0x87, 0x17, 0x00, 0x00, 0x0c, 0x01]
        for value in [0, range.lowerBound, range.upperBound - 1, 0, UInt64(range.count)] {
            bytes.append(little: UInt32(truncatingIfNeeded: value))
        }
        return bytes
    }
}
