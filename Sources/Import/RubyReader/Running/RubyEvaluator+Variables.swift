/// Variables of the environment, whose values nobody knows before the environment is used.
extension RubyEvaluator {
    /// A whole number for arithmetic. A variable of the environment counts with its default, and that is told.
    func number(_ value: RubyValue, at line: Int) -> Int64? {
        switch value {
        case .integer(let number): return number
        case .decimal(let number): return Int64(exactly: number.rounded(.towardZero))
        case .string(let text) where RubyPlaceholder.isIn(text):
            let plain = RubyPlaceholder.withoutVariables(text)
            tell(.fixed, "'\(plain)' is taken, whatever the environment says later", at: line)
            return Int64(plain)
        default: return nil
        }
    }

    /// The value as if no variable was set, which is told: what is compared or looked up is decided here.
    func settled(_ value: RubyValue, at line: Int) -> RubyValue {
        switch value {
        case .environment(let name):
            tell(.undecided, "'\(name)' of the environment counts as not set", at: line)
            return .null
        case .string(let text) where RubyPlaceholder.isIn(text):
            tell(.undecided, "a variable of the environment counts as not set", at: line)
            return RubyPlaceholder.number(text).map { .integer($0) }
                ?? .string(RubyPlaceholder.withoutVariables(text))
        default: return value
        }
    }

    /// A variable that is not set answers as nothing does.
    func answerEnvironment(_ name: String, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        switch call.name {
        case "to_i":
            tell(.fixed, "'\(name)' of the environment counts as 0", at: call.line)
            return .integer(0)
        case "to_a": return .list(RubyList([]))
        case "empty?": return .flag(true)
        case "+", "strip", "chomp", "downcase", "upcase":
            return try answerText(RubyPlaceholder.text(name, fallback: nil), call)
        default: return unknown("'\(name)' of the environment is not known here", at: call.line)
        }
    }

    /// A text with variables in it. What only adds to it keeps them; what looks into it has the defaults alone.
    func answerVariable(_ text: String, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        let argument = call.arguments.first
        let isNumber = RubyPlaceholder.number(text) != nil
        switch call.name {
        case "to_i": if let number = RubyPlaceholder.converted(text, toNumber: true) { return .string(number) }
        case "to_f": if RubyPlaceholder.isWhole(text) { return .string(text) }
        case "+", "*", "%", "to_s", "freeze":
            guard isNumber, argument?.symbolOrText.map({ RubyPlaceholder.number($0) != nil }) ?? (argument != nil)
            else { return try answerPlainText(text, call) }
        case "<<", "concat", "empty?", "strip", "chomp", "to_sym": return try answerPlainText(text, call)
        default: break
        }
        let isCompared = ["-", "/", "<", ">", "<=", ">="].contains(call.name) && argument?.integer != nil
        if isNumber || isCompared && RubyPlaceholder.isWhole(text), let value = number(.string(text), at: call.line) {
            return try answerNumber(.integer(value), call)
        }
        tell(.fixed, "a variable of the environment has its default in '.\(call.name)'", at: call.line)
        return try answerPlainText(RubyPlaceholder.withoutVariables(text), call)
    }
}
