/// Methods of texts and symbols.
extension RubyEvaluator {
    func answerText(_ text: String, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        let argument = call.arguments.first
        if let unknown = argument?.unknown { return .unknown(unknown) }
        // Whatever looks into a text would look at marks of variables: those methods have the default alone.
        if RubyPlaceholder.isIn(text) {
            let isArithmetic = ["+", "-", "*", "/", "%", "<", ">", "<=", ">="].contains(call.name)
            if isArithmetic, RubyPlaceholder.isWhole(text), argument?.integer != nil,
                let value = number(.string(text), at: call.line)
            {
                return try answerNumber(.integer(value), call)
            }
            switch call.name {
            case "+", "<<", "concat", "*", "to_s", "empty?", "strip", "chomp", "to_sym", "%", "freeze": break
            case "to_i", "to_f": if RubyPlaceholder.isWhole(text) { return .string(text) }
            default:
                tell(.fixed, "a variable of the environment has its default in '.\(call.name)'", at: call.line)
                return try answerText(RubyPlaceholder.withoutVariables(text), call)
            }
        }
        switch call.name {
        case "+", "<<", "concat":
            guard let other = argument?.text else { return nil }
            return try made(text + other)
        case "*":
            guard let times = number(argument ?? .null, at: call.line) else { return nil }
            guard (0...100_000).contains(times), text.utf8.count * Int(times) <= RubyLimits.textBytes else {
                throw .limit
            }
            return try made(String(repeating: text, count: Int(times)))
        case "%":
            return try formatted([.string(text)] + (argument?.items ?? [argument ?? .null]), at: call.line)
        case "to_sym", "intern": return .symbol(text)
        case "to_i": return .string(text).wholeNumber.map { .integer($0) }
        case "to_f": return .decimal(Double(text.prefix { "0123456789.-".contains($0) }) ?? 0)
        case "length", "size": return .integer(Int64(text.count))
        case "bytesize": return .integer(Int64(text.utf8.count))
        case "upcase", "upcase!": return try made(text.uppercased())
        case "downcase", "downcase!": return try made(text.lowercased())
        case "capitalize": return try made(text.prefix(1).uppercased() + text.dropFirst().lowercased())
        case "strip", "strip!", "squish": return try made(Self.stripped(text, left: true, right: true))
        case "lstrip": return try made(Self.stripped(text, left: true, right: false))
        case "rstrip": return try made(Self.stripped(text, left: false, right: true))
        case "chomp", "chomp!":
            if let ending = argument?.symbolOrText {
                return try made(text.hasSuffix(ending) ? String(text.dropLast(ending.count)) : text)
            }
            return try made(text.hasSuffix("\n") ? String(text.dropLast()) : text)
        case "chop": return try made(String(text.dropLast()))
        case "reverse": return try made(String(text.reversed()))
        case "succ", "next": return try made(Self.successor(of: text))
        case "ord": return text.unicodeScalars.first.map { .integer(Int64($0.value)) }
        case "chars": return try made(text.map { .string(String($0)) })
        case "lines", "each_line":
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
                .string($0 + "\n") as RubyValue
            }
            return try answerItems(
                lines, RubyCall(call.name == "lines" ? "to_a" : "each", [], block: call.block, line: call.line))
        case "empty?": return .flag(text.isEmpty)
        case "include?": return argument?.symbolOrText.map { .flag(text.contains($0)) }
        case "start_with?": return .flag(call.arguments.contains { $0.symbolOrText.map(text.hasPrefix) == true })
        case "end_with?": return .flag(call.arguments.contains { $0.symbolOrText.map(text.hasSuffix) == true })
        case "=~", "match", "match?": return match(.string(text), argument ?? .null, at: call.line)
        case "<=>": return .string(text).compared(to: argument ?? .null).map { .integer(Int64($0)) }
        case "<", ">", "<=", ">=": return compare(.string(text), call)
        case "[]", "slice": return try part(of: text, call.arguments, at: call.line)
        case "split": return try split(text, argument, at: call.line)
        case "sub", "gsub", "sub!", "gsub!": return try replaced(text, call)
        case "tr", "delete", "squeeze": return try translated(text, call)
        case "rjust", "ljust", "center": return try padded(text, call)
        case "prepend": return try argument?.text.map { other throws(RubyJump) in try made(other + text) }
        case "hash", "unpack", "crypt", "sum": return nil
        case "shellescape":
            return try made(
                "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'")
        case "unindent", "undent", "strip_heredoc":
            return try made(String(decoding: RubyLexer.dedented(Array(text.utf8)), as: UTF8.self))
        case "exist?", "exists?":
            return try RubyFiles(title: "File").answer(RubyCall("exist?", [.string(text)], line: call.line), in: self)
        case "join", "/":
            // A path that was made of the name.
            return try RubyFiles(title: "File").answer(
                RubyCall("join", [.string(text)] + call.arguments, line: call.line), in: self)
        case "expand_path", "realpath", "cleanpath", "dirname", "basename", "read", "parent", "to_path":
            return try RubyFiles(title: "Pathname").answer(
                RubyCall(call.name, [.string(text)] + call.arguments, line: call.line), in: self)
        default: return nil
        }
    }

    func answerSymbol(_ text: String, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        switch call.name {
        case "to_proc", "id2name", "name": .string(text)
        default: try answerText(text, call)
        }
    }

    private static func stripped(_ text: String, left: Bool, right: Bool) -> String {
        var rest = text[...]
        if left { rest = rest.drop { $0.isWhitespace || $0 == "\0" } }
        while right, let last = rest.last, last.isWhitespace || last == "\0" { rest.removeLast() }
        return String(rest)
    }

    /// The next number at a text's end, or the next letter: `node9` is followed by `node10`, `a` by `b`.
    private static func successor(of text: String) -> String {
        let digits = text.reversed().prefix { $0.isASCII && $0.isNumber }.count
        if digits > 0, digits <= 15, let number = Int(text.suffix(digits)) {
            let next = "\(number + 1)"
            return text.dropLast(digits) + String(repeating: "0", count: max(0, digits - next.count)) + next
        }
        guard let last = text.unicodeScalars.last, last.value < 0x7a, let next = Unicode.Scalar(last.value + 1) else {
            return text
        }
        return String(text.dropLast()) + String(Character(next))
    }

    private func part(of text: String, _ arguments: [RubyValue], at line: Int) throws(RubyJump) -> RubyValue? {
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

    private func split(_ text: String, _ separator: RubyValue?, at line: Int) throws(RubyJump) -> RubyValue? {
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

    private func replaced(_ text: String, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        guard let replacement = call.arguments.dropFirst().first?.text else { return nil }
        let all = call.name.hasPrefix("g")
        switch call.arguments.first {
        case .string(let old) where !old.isEmpty:
            var result = ""
            var rest = text[...]
            while let range = rest.firstRange(of: old) {
                result += rest[..<range.lowerBound] + replacement
                rest = rest[range.upperBound...]
                guard result.utf8.count <= RubyLimits.textBytes else { throw .limit }
                if !all { break }
            }
            return try made(result + rest)
        case .pattern(let pattern, let flags):
            guard let expression = RubyPattern(pattern, flags: flags),
                let result = expression.replacing(in: text, with: replacement, all: all)
            else { return nil }
            return try made(result)
        default: return nil
        }
    }

    /// Single characters, and ranges of them on the left.
    private func translated(_ text: String, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        guard let from = call.arguments.first?.symbolOrText, !from.hasPrefix("^"), from.utf8.count <= 256 else {
            return nil
        }
        func expanded(_ set: String) -> [Character] {
            var result: [Character] = []
            let characters = Array(set)
            var index = 0
            while index < characters.count {
                if index + 2 < characters.count, characters[index + 1] == "-",
                    let low = characters[index].asciiValue, let high = characters[index + 2].asciiValue, low <= high
                {
                    result += (low...high).map { Character(Unicode.Scalar($0)) }
                    index += 3
                } else {
                    result.append(characters[index])
                    index += 1
                }
            }
            return result
        }
        let old = expanded(from)
        if call.name == "delete" { return try made(text.filter { !old.contains($0) }) }
        guard call.name == "tr", let to = call.arguments.dropFirst().first?.symbolOrText else { return nil }
        let new = expanded(to)
        return try made(
            String(
                text.compactMap { character in
                    guard let index = old.firstIndex(of: character) else { return character }
                    return new.isEmpty ? nil : new[min(index, new.count - 1)]
                }))
    }

    private func padded(_ text: String, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        guard let width = call.arguments.first?.integer, width <= 10_000 else { return nil }
        let fill = call.arguments.dropFirst().first?.symbolOrText?.first ?? " "
        let missing = max(0, Int(width) - text.count)
        let left = call.name == "rjust" ? missing : call.name == "ljust" ? 0 : missing / 2
        return try made(String(repeating: fill, count: left) + text + String(repeating: fill, count: missing - left))
    }

    // MARK: - Patterns

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

    private func match(_ text: RubyValue, _ other: RubyValue, at line: Int) -> RubyValue? {
        switch other {
        case .pattern(let pattern, let flags): match(text, pattern, flags, at: line)
        case .string(let pattern): match(text, pattern, "", at: line)
        default: nil
        }
    }
}
