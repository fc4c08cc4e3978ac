/// Parts of texts, and patterns in them.
extension RubyEvaluator {
    func part(of text: String, _ arguments: [RubyValue], at line: Int) throws(RubyJump) -> RubyValue? {
        let characters = Array(text)
        switch arguments.first {
        case .integer(let index):
            let start = index < 0 ? index &+ Int64(characters.count) : index
            guard (0...Int64(characters.count)).contains(start) else { return .null }
            guard arguments.count > 1 else {
                return characters.indices.contains(Int(start)) ? .string(String(characters[Int(start)])) : .null
            }
            guard let length = arguments[1].integer, length >= 0 else { return .null }
            return try made(String(characters.dropFirst(Int(start)).prefix(Int(min(length, 1 << 30)))))
        case .range(let low, let high):
            let start = low < 0 ? low &+ Int64(characters.count) : low
            let end = high < 0 ? high &+ Int64(characters.count) : min(high, Int64(characters.count) - 1)
            guard start >= 0, start <= end else { return .string("") }
            return try made(String(characters[Int(start)...Int(end)]))
        case .string(let other): return text.contains(other) ? .string(other) : .null
        case .pattern(let pattern, let flags):
            guard let expression = RubyPattern(pattern, flags: flags), let found = expression.find(in: text) else {
                return RubyPattern(pattern, flags: flags) == nil ? nil : .null
            }
            let group = arguments.dropFirst().first?.integer ?? 0
            guard let range = found.group(Int(clamping: group)) else { return .null }
            return try made(String(decoding: Array(text.utf8)[range], as: UTF8.self))
        default: return nil
        }
    }

    func split(_ text: String, _ separator: RubyValue?, at line: Int) throws(RubyJump) -> RubyValue? {
        switch separator {
        case nil, .null, .string(" "):
            return try made(text.split(whereSeparator: \.isWhitespace).map { .string(String($0)) })
        case .string(let mark) where !mark.isEmpty:
            var parts: [RubyValue] = []
            var rest = text[...]
            while let range = rest.firstRange(of: mark) {
                parts.append(.string(String(rest[..<range.lowerBound])))
                rest = rest[range.upperBound...]
            }
            if !rest.isEmpty { parts.append(.string(String(rest))) }
            return try made(parts)
        case .string: return try made(text.map { .string(String($0)) })
        case .pattern(let pattern, let flags):
            guard let expression = RubyPattern(pattern, flags: flags) else { return nil }
            let pieces = expression.split(text)
            return try made(pieces.map { .string($0) })
        default: return nil
        }
    }

    func match(_ text: RubyValue, _ pattern: String, _ flags: String, at line: Int) -> RubyValue {
        switch text {
        case .string(let text), .symbol(let text):
            guard let expression = RubyPattern(pattern, flags: flags) else {
                return unknown("the pattern '/\(pattern.prefix(60))/' is not understood", at: line)
            }
            let plain = RubyPlaceholder.withoutVariables(text)
            return expression.find(in: plain).map { .integer(Int64($0.start)) } ?? .null
        case .null: return .null
        case .environment(let name):
            tell(.undecided, "'\(name)' of the environment counts as not set", at: line)
            return .null
        case .unknown(let unknown): return .unknown(unknown)
        default: return unknown("this is matched with a pattern and is not a text", at: line)
        }
    }

    func match(_ text: RubyValue, _ other: RubyValue, at line: Int) -> RubyValue? {
        switch other {
        case .pattern(let pattern, let flags): match(text, pattern, flags, at: line)
        case .string(let pattern): match(text, pattern, "", at: line)
        default: nil
        }
    }
}
