/// A query's header and its one question (RFC 1035, section 4.1).
struct DNSQuestion {
    enum Code: UInt8 { case noError = 0, formatError = 1, serverFailure = 2, nameError = 3, notImplemented = 4 }
    static let address: UInt16 = 1
    static let pointer: UInt16 = 12
    static let any: UInt16 = 255

    let identifier: UInt16
    let recursionDesired: Bool
    let name: DNSName
    let type: UInt16
    /// The question as it was sent: the answer repeats it letter by letter.
    let wireFormat: [UInt8]

    /// Reads a query.
    /// - Returns: nil if it is not one, or has not exactly one question.
    init?(_ message: RawSpan) {
        guard let identifier = message.uint16(0), let flags = message.uint16(2), flags & 0xf800 == 0,
            message.uint16(4) == 1, let (name, end) = DNSName.parse(message, at: 12),
            let type = message.uint16(end), message.uint16(end + 2) == 1
        else { return nil }
        self.identifier = identifier
        recursionDesired = flags & 0x0100 != 0
        self.name = name
        self.type = type
        wireFormat = message.copy(from: 12, count: end + 4 - 12)
    }

    /// An answer with at most one record.
    /// - Parameter data: The record's data, for a record of the question's name; `type` is the record's.
    func answer(_ code: Code, type: UInt16 = 0, data: [UInt8]? = nil, authoritative: Bool = true) -> [UInt8] {
        var writer = FrameWriter(capacity: 12 + wireFormat.count + 32)
        writer.append(identifier)
        let flags: UInt16 = 0x8080 | (authoritative ? 0x0400 : 0) | (recursionDesired ? 0x0100 : 0)
        writer.append(flags | UInt16(code.rawValue))
        writer.append(UInt16(1))
        writer.append(UInt16(data == nil ? 0 : 1))
        writer.append(UInt32(0))
        writer.append(wireFormat)
        if let data {
            writer.append(UInt16(0xc00c))  // The name in the question.
            writer.append(type)
            writer.append(UInt16(1))
            writer.append(UInt32(NameTable.timeToLive))
            writer.append(UInt16(truncatingIfNeeded: data.count))
            writer.append(data)
        }
        return writer.bytes
    }
}
