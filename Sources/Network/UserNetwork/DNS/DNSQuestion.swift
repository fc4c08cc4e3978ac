/// A query's header and its one question (RFC 1035, section 4.1).
struct DNSQuestion {
    enum Code: UInt8 {
        case noError = 0
        case formatError = 1
        case serverFailure = 2
        case nameError = 3
        case notImplemented = 4
        case refused = 5
    }
    static let address: UInt16 = 1
    static let pointer: UInt16 = 12
    static let any: UInt16 = 255

    let identifier: UInt16
    let recursionDesired: Bool
    let name: DNSName
    let type: UInt16
    /// The question as it was sent: the answer repeats it letter by letter.
    let wireFormat: [UInt8]
    /// Whether the query has options (EDNS0): the answer then has them too (RFC 6891, section 6.1.1).
    let hasOptions: Bool

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
        hasOptions = Self.findOptions(message, from: end + 4)
    }

    /// Looks for an OPT record (41) among the few records that a query may bring.
    private static func findOptions(_ message: RawSpan, from start: Int) -> Bool {
        guard message.uint16(6) == 0, message.uint16(8) == 0, let count = message.uint16(10) else { return false }
        var position = start
        for _ in 0..<min(count, 4) {
            guard let (name, end) = DNSName.parse(message, at: position), let type = message.uint16(end),
                let length = message.uint16(end + 8)
            else { return false }
            if type == 41, name.labels.isEmpty { return true }
            position = end + 10 + Int(length)
        }
        return false
    }

    /// The answer to a message that is no question as ``init(_:)`` reads it: another kind of operation, another class
    /// of names, or nonsense.
    /// - Returns: nil if it deserves none: an answer, or no message at all.
    static func refusal(of message: RawSpan) -> [UInt8]? {
        guard let identifier = message.uint16(0), let flags = message.uint16(2), flags & 0x8000 == 0,
            message.uint16(10) != nil
        else { return nil }
        var code = Code.formatError
        var question: [UInt8] = []
        if flags & 0x7800 != 0 {
            code = .notImplemented
        } else if message.uint16(4) == 1, let (_, end) = DNSName.parse(message, at: 12), message.uint16(end + 2) != nil
        {
            code = .refused
            question = message.copy(from: 12, count: end + 4 - 12)
        }
        var writer = FrameWriter(capacity: 12 + question.count)
        writer.append(identifier)
        writer.append(0x8000 | flags & 0x7900 | UInt16(code.rawValue))
        writer.append(UInt16(question.isEmpty ? 0 : 1))
        writer.append(UInt16(0))
        writer.append(UInt32(0))
        writer.append(question)
        return writer.bytes
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
        writer.append(UInt16(0))
        writer.append(UInt16(hasOptions ? 1 : 0))
        writer.append(wireFormat)
        if let data {
            writer.append(UInt16(0xc00c))  // The name in the question.
            writer.append(type)
            writer.append(UInt16(1))
            writer.append(UInt32(NameTable.timeToLive))
            writer.append(UInt16(truncatingIfNeeded: data.count))
            writer.append(data)
        }
        if hasOptions {
            // The root's name, OPT, what may be sent here in one datagram, and neither flags nor options.
            writer.append(UInt8(0))
            writer.append(UInt16(41))
            writer.append(UInt16(Network.questionLimit))
            writer.append(UInt32(0))
            writer.append(UInt16(0))
        }
        return writer.bytes
    }
}
