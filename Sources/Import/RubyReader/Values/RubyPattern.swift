/// A small part of Ruby's regular expressions: what people write in settings. Matching is bounded: an expression that
/// needs too many steps finds nothing.
struct RubyPattern {
    private static let stepLimit = 100_000

    private indirect enum Piece {
        case byte(UInt8)
        case any
        case set([ClosedRange<UInt8>], isNegated: Bool)
        case lineStart
        case lineEnd
        case textStart
        case textEnd
        case wordEdge
        case group([[Piece]], number: Int?)
        case many(Piece, least: Int, most: Int, isLazy: Bool)
    }

    private let branches: [[Piece]]
    private let ignoresCase: Bool

    /// nil for an expression that is not understood.
    init?(_ text: String, flags: String = "") {
        var reader = Reader(bytes: Array(text.utf8), isExtended: flags.contains("x"))
        guard text.utf8.count <= 2000, let branches = reader.branches(depth: 0), reader.isAtEnd else { return nil }
        self.branches = branches
        ignoresCase = flags.contains("i")
    }

    struct Match {
        /// In bytes.
        var start: Int
        var end: Int
        var groups: [Int: Range<Int>]
        func group(_ number: Int) -> Range<Int>? { number == 0 ? start..<end : groups[number] }
    }

    func find(in text: String) -> Match? { find(in: Array(text.utf8), from: 0) }

    private func find(in bytes: [UInt8], from first: Int) -> Match? {
        var matcher = Matcher(bytes: bytes, ignoresCase: ignoresCase, steps: Self.stepLimit)
        guard first <= bytes.count else { return nil }
        for start in first...bytes.count {
            var end: Int?
            matcher.groups = [:]
            let isFound = matcher.match(branches, at: start) { matcher, position in
                end = position
                return true
            }
            if isFound, let end { return Match(start: start, end: end, groups: matcher.groups) }
            if matcher.steps <= 0 { return nil }
        }
        return nil
    }

    func split(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        var parts: [String] = []
        var start = 0
        var from = 0
        while let match = find(in: bytes, from: from) {
            if match.end == match.start {
                from = match.end + 1
                continue
            }
            parts.append(String(decoding: bytes[start..<match.start], as: UTF8.self))
            start = match.end
            from = match.end
        }
        if start < bytes.count { parts.append(String(decoding: bytes[start...], as: UTF8.self)) }
        return parts
    }

    /// nil if the result would be too long.
    func replacing(in text: String, with replacement: String, all: Bool) -> String? {
        let bytes = Array(text.utf8)
        let new = Array(replacement.utf8)
        var result: [UInt8] = []
        var start = 0
        var from = 0
        while let match = find(in: bytes, from: from) {
            result += bytes[start..<match.start]
            var index = 0
            while index < new.count {
                // `\1` is what the first group has found.
                if new[index] == 0x5c, index + 1 < new.count, (0x30...0x39).contains(new[index + 1]) {
                    if let range = match.group(Int(new[index + 1]) - 0x30) { result += bytes[range] }
                    index += 2
                } else {
                    result.append(new[index])
                    index += 1
                }
            }
            start = match.end
            if match.end == match.start {
                if start < bytes.count { result.append(bytes[start]) }
                start += 1
            }
            from = start
            guard result.count <= RubyLimits.textBytes else { return nil }
            if !all || from > bytes.count { break }
        }
        if start < bytes.count { result += bytes[start...] }
        return String(decoding: result, as: UTF8.self)
    }

    // MARK: - Reading

    private struct Reader {
        let bytes: [UInt8]
        let isExtended: Bool
        var position = 0
        var groupCount = 0

        init(bytes: [UInt8], isExtended: Bool) {
            self.bytes = bytes
            self.isExtended = isExtended
        }

        var isAtEnd: Bool { position >= bytes.count }
        private var byte: UInt8? { isAtEnd ? nil : bytes[position] }

        mutating func branches(depth: Int) -> [[Piece]]? {
            guard depth < 8 else { return nil }
            var result: [[Piece]] = [[]]
            while let next = byte, next != UInt8(ascii: ")") {
                if next == UInt8(ascii: "|") {
                    position += 1
                    result.append([])
                    continue
                }
                if isExtended, next == 0x20 || next == 0x0a {
                    position += 1
                    continue
                }
                guard let piece = piece(depth: depth), let counted = counted(piece) else { return nil }
                result[result.count - 1].append(counted)
            }
            return result
        }

        private mutating func piece(depth: Int) -> Piece? {
            guard let next = byte else { return nil }
            position += 1
            switch next {
            case UInt8(ascii: "."): return .any
            case UInt8(ascii: "^"): return .lineStart
            case UInt8(ascii: "$"): return .lineEnd
            case UInt8(ascii: "["): return set()
            case UInt8(ascii: "("):
                var number: Int?
                if byte == UInt8(ascii: "?") {
                    guard bytes[position...].starts(with: "?:".utf8) else { return nil }
                    position += 2
                } else {
                    groupCount += 1
                    number = groupCount
                }
                guard let inner = branches(depth: depth + 1), byte == UInt8(ascii: ")") else { return nil }
                position += 1
                return .group(inner, number: number)
            case UInt8(ascii: "\\"): return escape()
            case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: ")"): return nil
            default: return .byte(next)
            }
        }

        private static func classRanges(_ letter: UInt8) -> [ClosedRange<UInt8>]? {
            switch Character(Unicode.Scalar(letter)) {
            case "d", "D": [0x30...0x39]
            case "w", "W": [0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a]
            case "s", "S": [0x09...0x0d, 0x20...0x20]
            case "h": [0x30...0x39, 0x41...0x46, 0x61...0x66]
            default: nil
            }
        }

        private mutating func escape() -> Piece? {
            guard let next = byte else { return nil }
            position += 1
            if let ranges = Self.classRanges(next) { return .set(ranges, isNegated: (0x41...0x5a).contains(next)) }
            switch Character(Unicode.Scalar(next)) {
            case "A": return .textStart
            case "z", "Z": return .textEnd
            case "b": return .wordEdge
            case "n": return .byte(0x0a)
            case "t": return .byte(0x09)
            case "r": return .byte(0x0d)
            default: return RubyLexer.isWord(next) ? nil : .byte(next)
            }
        }

        private mutating func set() -> Piece? {
            var ranges: [ClosedRange<UInt8>] = []
            var isNegated = false
            if byte == UInt8(ascii: "^") {
                isNegated = true
                position += 1
            }
            var isFirst = true
            while let next = byte, next != UInt8(ascii: "]") || isFirst {
                isFirst = false
                position += 1
                var low = next
                if next == UInt8(ascii: "\\"), let escaped = byte {
                    position += 1
                    if let known = Self.classRanges(escaped) {
                        ranges += known
                        continue
                    }
                    low = escaped == UInt8(ascii: "n") ? 0x0a : escaped == UInt8(ascii: "t") ? 0x09 : escaped
                }
                if byte == UInt8(ascii: "-"), position + 1 < bytes.count, bytes[position + 1] != UInt8(ascii: "]") {
                    let high = bytes[position + 1]
                    position += 2
                    guard low <= high else { return nil }
                    ranges.append(low...high)
                } else {
                    ranges.append(low...low)
                }
            }
            guard byte != nil else { return nil }
            position += 1
            return .set(ranges, isNegated: isNegated)
        }

        private mutating func counted(_ piece: Piece) -> Piece? {
            var least = 1
            var most = 1
            switch byte {
            case UInt8(ascii: "*"): (least, most) = (0, .max)
            case UInt8(ascii: "+"): (least, most) = (1, .max)
            case UInt8(ascii: "?"): (least, most) = (0, 1)
            case UInt8(ascii: "{"):
                guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "}")) else { return nil }
                let parts = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
                    .split(separator: ",", omittingEmptySubsequences: false)
                guard (1...2).contains(parts.count), let low = Int(parts[0].isEmpty ? "0" : parts[0]) else {
                    return nil
                }
                least = min(low, 1000)
                most = parts.count == 1 ? least : parts[1].isEmpty ? .max : min(Int(parts[1]) ?? 0, 1000)
                position = end
            default: return piece
            }
            position += 1
            let isLazy = byte == UInt8(ascii: "?")
            if isLazy { position += 1 }
            return .many(piece, least: least, most: most, isLazy: isLazy)
        }
    }

    // MARK: - Matching

    private struct Matcher {
        let bytes: [UInt8]
        let ignoresCase: Bool
        var steps: Int
        var groups: [Int: Range<Int>] = [:]
        /// How deep in calls.
        private var level = 0

        init(bytes: [UInt8], ignoresCase: Bool, steps: Int) {
            self.bytes = bytes
            self.ignoresCase = ignoresCase
            self.steps = steps
        }

        typealias Next = (inout Matcher, Int) -> Bool

        mutating func match(_ branches: [[Piece]], at position: Int, _ next: Next) -> Bool {
            for branch in branches where match(branch[...], at: position, next) { return true }
            return false
        }

        private mutating func match(_ pieces: ArraySlice<Piece>, at position: Int, _ next: Next) -> Bool {
            steps -= 1
            level += 1
            defer { level -= 1 }
            guard steps > 0, level < 300 else { return false }
            guard let piece = pieces.first else { return next(&self, position) }
            let rest = pieces.dropFirst()
            switch piece {
            case .group(let branches, let number):
                return match(branches, at: position) { matcher, end in
                    let before = matcher.groups
                    if let number { matcher.groups[number] = position..<end }
                    if matcher.match(rest, at: end, next) { return true }
                    matcher.groups = before
                    return false
                }
            case .many(let inner, let least, let most, let isLazy):
                return repeated(inner, least, most, isLazy, rest, at: position, next)
            default:
                guard let end = single(piece, at: position) else { return false }
                return match(rest, at: end, next)
            }
        }

        private mutating func repeated(
            _ piece: Piece, _ least: Int, _ most: Int, _ isLazy: Bool, _ rest: ArraySlice<Piece>, at position: Int,
            _ next: Next
        ) -> Bool {
            if case .group = piece {
                // Groups that repeat go one by one.
                if isLazy || most == 0, least == 0, match(rest, at: position, next) { return true }
                if most > 0 {
                    let isFound = match([piece], at: position) { matcher, end in
                        guard end > position || least > 0 else { return false }
                        return matcher.repeated(
                            piece, max(0, least - 1), most == .max ? .max : most - 1, isLazy, rest, at: end,
                            next)
                    }
                    if isFound { return true }
                }
                return !isLazy && least == 0 && match(rest, at: position, next)
            }
            var ends = [position]
            while ends.count <= most, let last = ends.last, let end = single(piece, at: last), end > last {
                ends.append(end)
                if isLazy, ends.count > 1000 { break }
            }
            steps -= ends.count
            guard ends.count > least else { return false }
            let candidates = ends[least...]
            for end in isLazy ? Array(candidates) : candidates.reversed()
            where match(rest, at: end, next) {
                return true
            }
            return false
        }

        private func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte + 32 : byte }

        /// Where a piece of at most one byte ends; nil: it is not there.
        private func single(_ piece: Piece, at position: Int) -> Int? {
            let byte = position < bytes.count ? bytes[position] : nil
            func isWord(_ index: Int) -> Bool { bytes.indices.contains(index) && RubyLexer.isWord(bytes[index]) }
            switch piece {
            case .byte(let wanted):
                guard let byte else { return nil }
                return byte == wanted || ignoresCase && lower(byte) == lower(wanted) ? position + 1 : nil
            case .any: return byte.map { $0 != 0x0a } == true ? position + 1 : nil
            case .set(let ranges, let isNegated):
                guard let byte else { return nil }
                let upper = (0x61...0x7a).contains(byte) ? byte - 32 : byte
                let isIn = ranges.contains { range in
                    range.contains(byte) || ignoresCase && (range.contains(lower(byte)) || range.contains(upper))
                }
                return isIn != isNegated ? position + 1 : nil
            case .lineStart: return position == 0 || bytes[position - 1] == 0x0a ? position : nil
            case .lineEnd: return byte == nil || byte == 0x0a ? position : nil
            case .textStart: return position == 0 ? position : nil
            case .textEnd: return byte == nil ? position : nil
            case .wordEdge: return isWord(position - 1) != isWord(position) ? position : nil
            case .group, .many: return nil
            }
        }
    }
}
