import Glibc

/// The output of a program in a guest between two words. The stream comes in pieces, and others write to it too: login
/// shells and their wrappers before the program, leftover processes after it.
public struct OutputFrame {
    private let begin: [UInt8]
    private let end: [UInt8]
    private var held: [UInt8] = []
    public private(set) var hasBegun: Bool
    /// The number after the last word: the program's exit status.
    public private(set) var status: Int32?
    /// The last bytes before the beginning.
    public private(set) var preamble: [UInt8] = []

    /// - Parameters:
    ///   - begin: The word directly before the first byte; nil if everything counts from the start.
    ///   - end: The word directly after the last byte, followed by a space, a number and a line break.
    public init(from begin: String? = nil, to end: String) {
        self.begin = Array((begin ?? "").utf8)
        self.end = Array(end.utf8)
        hasBegun = begin == nil
    }

    /// The part of the held-back bytes and of `bytes` that certainly is between the words.
    public mutating func filter(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard status == nil else { return [] }
        held += bytes
        if !hasBegun {
            guard let start = Self.index(of: begin, in: held[...]) else {
                pass(held.count - Self.overlap(held[...], begin))
                return []
            }
            pass(start)
            hasBegun = true
            held.removeFirst(begin.count)
        }
        var search = held[...]
        while let start = Self.index(of: end, in: search) {
            let line = held[(start + end.count)...]
            // The number's line may not be whole yet.
            guard let lineEnd = line.prefix(16).firstIndex(of: 0x0a) else {
                if line.count < 16 { return take(start) }
                search = line
                continue
            }
            // A terminal that a program has changed puts a carriage return there.
            let isReturned = lineEnd > line.startIndex && line[lineEnd - 1] == 0x0d
            let number = String(decoding: line[..<(isReturned ? lineEnd - 1 : lineEnd)], as: UTF8.self)
            guard number.first == " ", let value = Int32(number.dropFirst()) else {
                search = line
                continue
            }
            status = value
            defer { held = [] }
            return held[..<start]
        }
        return take(held.count - Self.overlap(held[...], end))
    }

    /// The held-back bytes, once no more can come.
    public var rest: ArraySlice<UInt8> { hasBegun ? held[...] : [] }

    private mutating func pass(_ count: Int) {
        preamble = Array((preamble + held[..<count].suffix(2048)).suffix(2048))
        held.removeFirst(count)
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        let taken = held[..<count]
        held.removeFirst(count)
        return taken
    }

    /// How many bytes at the end of `bytes` may be the beginning of `word`.
    private static func overlap(_ bytes: ArraySlice<UInt8>, _ word: [UInt8]) -> Int {
        var count = max(0, min(word.count - 1, bytes.count))
        while count > 0, !word.starts(with: bytes.suffix(count)) { count -= 1 }
        return count
    }

    private static func index(of word: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = word.first else { return nil }
        let offset = bytes.withUnsafeBytes { bytes in
            word.withUnsafeBytes { word -> Int? in
                guard let start = bytes.baseAddress, let sought = word.baseAddress else { return nil }
                var offset = 0
                while offset + word.count <= bytes.count,
                    let found = memchr(start + offset, CInt(first), bytes.count - word.count + 1 - offset)
                {
                    if memcmp(found, sought, word.count) == 0 { return UnsafeRawPointer(found) - start }
                    offset = UnsafeRawPointer(found) - start + 1
                }
                return nil
            }
        }
        return offset.map { bytes.startIndex + $0 }
    }
}
