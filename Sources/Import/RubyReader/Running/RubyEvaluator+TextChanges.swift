/// Texts that are made of others.
extension RubyEvaluator {
    static func stripped(_ text: String, left: Bool, right: Bool) -> String {
        var rest = text[...]
        if left { rest = rest.drop { $0.isWhitespace || $0 == "\0" } }
        while right, let last = rest.last, last.isWhitespace || last == "\0" { rest.removeLast() }
        return String(rest)
    }

    /// The next number at a text's end, or the next letter: `node9` is followed by `node10`, `a` by `b`.
    static func successor(of text: String) -> String {
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

    func replaced(_ text: String, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
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
    func translated(_ text: String, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
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

    func padded(_ text: String, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        guard let width = call.arguments.first?.integer, width <= 10_000 else { return nil }
        guard width > 0 else { return .string(text) }
        let fill = call.arguments.dropFirst().first?.symbolOrText?.first ?? " "
        let missing = max(0, Int(width) - text.count)
        let left = call.name == "rjust" ? missing : call.name == "ljust" ? 0 : missing / 2
        return try made(String(repeating: fill, count: left) + text + String(repeating: fill, count: missing - left))
    }
}
