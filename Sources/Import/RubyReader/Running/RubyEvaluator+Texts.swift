/// Methods of texts and symbols.
extension RubyEvaluator {
    func answerText(_ text: String, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        let argument = call.arguments.first
        if let unknown = argument?.unknown { return .unknown(unknown) }
        if RubyPlaceholder.isIn(text) { return try answerVariable(text, call) }
        return try answerPlainText(text, call)
    }

    func answerPlainText(_ text: String, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        let argument = call.arguments.first
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
}
